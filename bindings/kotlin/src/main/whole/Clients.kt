package io.github.pushcore

import kotlin.coroutines.cancellation.CancellationException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.withContext

/** The longest stay in the library between two looks at whether the coroutine was cancelled. */
internal val SLICE = 100.milliseconds

/** The threads that wait in the library; no more than these are made, and those that rest go away. */
internal val threads: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(256, "pushcore")

/** A client of [service]. No connection is made before the first message; `use` or `close` frees it. */
public fun Client(service: Service, options: ClientOptions = ClientOptions()): Client {
    // A library of another version is noticed here, and not by what it makes of the arguments.
    uniffiEnsureInitialized()
    return Client.open(service, options)
}

/**
 * Sends one message and suspends until its end. A service's "no" is an outcome.
 *
 * Cancelling the coroutine cancels the message, unless it has been written: then nobody knows.
 *
 * @throws PushException when there is no answer.
 */
public suspend fun Client.send(message: Message, options: SendOptions = SendOptions()): Outcome =
    single(message, options).use { single ->
        coroutineScope {
            val ended = async(threads) { single.end() }
            try {
                ended.await().get()
            } catch (cancelled: CancellationException) {
                // At once, and not when the thread that waits looks up.
                single.cancel()
                throw cancelled
            }
        }
    }

private fun SingleSend.end(): Ended {
    while (true) wait(SLICE)?.let { return it }
}

/** The outcome, or the exception that says why there is none. */
public fun Ended.get(): Outcome {
    failure?.let { raise(it) }
    return checkNotNull(outcome) { "neither an outcome nor a failure" }
}

/**
 * Sends [template] to every target; emits the end of each, in the order in which they come. [Target.tag] says whose it is.
 *
 * Cold: every collection sends anew. Targets are pulled as there is room, so that neither an endless flow nor a slow
 * collector costs memory. When the collector stops, or [targets] throws, what has not ended is cancelled.
 */
public fun Client.sendMany(
    template: Message,
    targets: Flow<Target>,
    options: SendOptions = SendOptions(),
): Flow<Ended> = sending(targets) { TargetSteps(batch(template, options)) }

/** [sendMany] with the targets of a collection or a sequence. */
public fun Client.sendMany(
    template: Message,
    targets: Iterable<Target>,
    options: SendOptions = SendOptions(),
): Flow<Ended> = sendMany(template, targets.asFlow(), options)

/** [sendMany] with messages that differ. */
public fun Client.sendAll(messages: Flow<Tagged>, options: SendOptions = SendOptions()): Flow<Ended> =
    sending(messages) { MessageSteps(batchOfMessages(options)) }

/**
 * Makes a call that is no message (channels, topics, groups, withdrawals, reports) and suspends until its answer. A service's
 * "no" is an answer. Cancelling the coroutine cancels the call.
 *
 * @throws PushException when there is no answer.
 */
public suspend fun Client.call(call: Call, options: SendOptions = SendOptions()): CallAnswer =
    withContext(threads) {
        exchange(call, options).use { exchange ->
            var answer: CallAnswer? = null
            while (answer == null) {
                currentCoroutineContext().ensureActive()
                answer = exchange.wait(SLICE)
            }
            answer
        }
    }

/**
 * Takes no more messages, and suspends until those taken have ended and the connections are closed, for at most [longest].
 * Returns whether everything has ended.
 */
public suspend fun Client.shutdown(longest: Duration? = null): Boolean =
    withContext(threads) { shutdownBlocking(longest) }
