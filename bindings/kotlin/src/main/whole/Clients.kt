package io.github.pushcore

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.produceIn
import kotlinx.coroutines.withContext

/** The most targets that go down in one call, and the most that are read ahead. */
private const val CHUNK = 512

/** The longest stay in the library between two looks at whether the coroutine was cancelled. */
private val SLICE = 100.milliseconds

/** The threads that wait in the library; no more than these are made, and those that rest go away. */
private val threads: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(256, "pushcore")

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
    withContext(threads) {
        batchOfMessages(options, 1uL).use { batch ->
            val offered = listOf(Tagged(message))
            var taken = 0
            var ended: Ended? = null
            while (ended == null) {
                currentCoroutineContext().ensureActive()
                if (taken == 0) {
                    val submitted = batch.submitMessages(offered)
                    taken = submitted.taken.toInt()
                    ended = submitted.refused.firstOrNull()
                }
                if (taken > 0) batch.finish()
                ended = ended ?: batch.wait(SLICE).firstOrNull()
            }
            ended.get()
        }
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
): Flow<Ended> = sending(targets, { batch(template, options) }, Batch::submit)

/** [sendMany] with the targets of a collection or a sequence. */
public fun Client.sendMany(
    template: Message,
    targets: Iterable<Target>,
    options: SendOptions = SendOptions(),
): Flow<Ended> = sendMany(template, targets.asFlow(), options)

/** [sendMany] with messages that differ. */
public fun Client.sendAll(messages: Flow<Tagged>, options: SendOptions = SendOptions()): Flow<Ended> =
    sending(messages, { batchOfMessages(options) }, Batch::submitMessages)

/**
 * Takes no more messages, and suspends until those taken have ended and the connections are closed, for at most [longest].
 * Returns whether everything has ended.
 */
public suspend fun Client.shutdown(longest: Duration? = null): Boolean =
    withContext(threads) { shutdownBlocking(longest) }

private fun <T> sending(items: Flow<T>, begin: () -> Batch, submit: Batch.(List<T>) -> Submitted): Flow<Ended> =
    flow { begin().use { batch -> send(items, batch, submit) } }.flowOn(threads)

private suspend fun <T> FlowCollector<Ended>.send(items: Flow<T>, batch: Batch, submit: Batch.(List<T>) -> Submitted) =
    coroutineScope {
        val source = items.buffer(CHUNK).produceIn(this)
        val waiting = ArrayDeque<T>(CHUNK)
        var inFlight = 0L
        var open = true
        while (open || waiting.isNotEmpty() || inFlight > 0) {
            currentCoroutineContext().ensureActive()
            while (open && waiting.size < CHUNK) {
                // With nothing under way there is nothing else to wait for.
                val next = if (waiting.isEmpty() && inFlight == 0L) source.receiveCatching() else source.tryReceive()
                if (next.isSuccess) {
                    waiting.addLast(next.getOrThrow())
                } else {
                    next.exceptionOrNull()?.let { throw it }
                    open = !next.isClosed
                    break
                }
            }
            var all = true
            if (waiting.isNotEmpty()) {
                val submitted = batch.submit(waiting.toList())
                val taken = submitted.taken.toInt()
                all = taken == waiting.size
                repeat(taken) { waiting.removeFirst() }
                inFlight += taken - submitted.refused.size
                submitted.refused.forEach { emit(it) }
            }
            if (!open && waiting.isEmpty()) batch.finish()
            // With room for more and a source that may have more, the sockets get a glance.
            val ended = batch.wait(if (open && all) GLANCE else SLICE)
            inFlight -= ended.size
            ended.forEach { emit(it) }
        }
    }

/** How long the sockets are waited for while targets may come. */
private val GLANCE = 2.milliseconds
