package io.github.pushcore

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.produceIn

/** The most items that go down in one call, and the most that are read ahead. */
private const val CHUNK = 512

/** How long the sockets are waited for while items may come. */
private val GLANCE = 2.milliseconds

/** The items that were dealt with in one call, and the refusals among them. */
internal class Offered<E>(val taken: Int, val refused: List<E>)

/** A bulk send in steps, whatever is sent. Closing it cancels what has not ended. */
internal interface Steps<T, E> : AutoCloseable {
    fun submit(items: List<T>): Offered<E>

    fun finish()

    fun wait(longest: Duration): List<E>
}

internal abstract class BatchSteps<T>(protected val batch: Batch) : Steps<T, Ended> {
    override fun finish() = batch.finish()

    override fun wait(longest: Duration): List<Ended> = batch.wait(longest)

    override fun close() = batch.close()

    protected fun Submitted.offered() = Offered(taken.toInt(), refused)
}

internal class TargetSteps(batch: Batch) : BatchSteps<Target>(batch) {
    override fun submit(items: List<Target>) = batch.submit(items).offered()
}

internal class MessageSteps(batch: Batch) : BatchSteps<Tagged>(batch) {
    override fun submit(items: List<Tagged>) = batch.submitMessages(items).offered()
}

internal class HubSteps(private val batch: HubBatch) : Steps<Recipient, Delivered> {
    override fun submit(items: List<Recipient>) = batch.submit(items).let { Offered(it.taken.toInt(), it.refused) }

    override fun finish() = batch.finish()

    override fun wait(longest: Duration): List<Delivered> = batch.wait(longest)

    override fun close() = batch.close()
}

internal fun <T, E> sending(items: Flow<T>, begin: () -> Steps<T, E>): Flow<E> =
    flow { begin().use { steps -> send(items, steps) } }.flowOn(threads)

private suspend fun <T, E> FlowCollector<E>.send(items: Flow<T>, steps: Steps<T, E>) = coroutineScope {
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
            val offered = steps.submit(waiting.toList())
            all = offered.taken == waiting.size
            repeat(offered.taken) { waiting.removeFirst() }
            inFlight += offered.taken - offered.refused.size
            offered.refused.forEach { emit(it) }
        }
        if (!open && waiting.isEmpty()) steps.finish()
        // With room for more and a source that may have more, the sockets get a glance.
        val ended = steps.wait(if (open && all) GLANCE else SLICE)
        inFlight -= ended.size
        ended.forEach { emit(it) }
    }
}
