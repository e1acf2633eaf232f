package io.github.pushcore

import java.util.concurrent.atomic.AtomicInteger
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance

private const val SALE = """{"title":"Sale","body":"Everything must go"}"""

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HubTest {
    private val sandbox = Sandbox("--no-governor")
    private val services = listOf(sandbox.apns(), sandbox.fcm())

    @AfterAll
    fun stop() {
        services.forEach { it.close() }
        sandbox.close()
    }

    @BeforeEach
    fun reset() {
        sandbox.post("/reset", "")
    }

    private fun hub(options: HubOptions = HubOptions()) = Hub(services.map { HubClient(it) }, sandbox.options, options)

    private fun apple(token: String): String {
        val apns = sandbox.ready["apns"]
        return """{"service":"apns","environment":"sandbox","app":${apns["topic"]},"token":${apns["tokens"][token]}}"""
    }

    private fun android(token: String) = """{"service":"fcm","token":${sandbox.ready["fcm"]["tokens"][token]}}"""

    @Test
    fun `one notification to the devices of two services`() = runBlocking {
        val recipients = listOf(
            Recipient(apple("valid"), 1uL),
            Recipient(apple("unregistered"), 2uL),
            Recipient(android("valid"), 3uL),
            Recipient("""{"service":"fcm"}""", 4uL),
        )
        hub().use { hub ->
            val delivered = hub.notify(SALE, recipients).toList().associateBy { it.ended.tag.toInt() }
            assertEquals("keep", delivered.getValue(1).feedback?.action, "${delivered[1]}")
            assertEquals(OutcomeKind.ACCEPTED, delivered.getValue(1).ended.get().kind)
            assertEquals("delete", delivered.getValue(2).feedback?.action)
            assertEquals("accepted", delivered.getValue(3).stop, "${delivered[3]}")
            assertEquals(null, delivered.getValue(4).feedback)
            assertNotNull(delivered.getValue(4).ended.failure)
            val counts = hub.metrics().associate { it.app.service to it.metrics.stats.accepted }
            assertEquals(mapOf(ServiceKind.APNS to 1uL, ServiceKind.FCM to 1uL), counts)
            assertTrue(hub.openMetrics().contains("""service="fcm",app="",environment="production",outcome="accepted"} 1"""))
            assertTrue(hub.shutdown(5.seconds))
            val late = hub.notify(SALE, listOf(Recipient(apple("valid"), 9uL))).toList().single()
            assertEquals(ErrorKind.CLOSED, late.ended.failure?.kind, "$late")
        }
    }

    @Test
    fun `4,000 devices with one dead in a hundred, accounted for by tag`() = runBlocking {
        hub(HubOptions(remember = 0u)).use { hub ->
            val recipients = (0 until 4_000).map {
                val token = if (it % 100 == 7) "unregistered" else "valid"
                Recipient(if (it % 2 == 0) android(token) else apple(token), it.toULong())
            }
            val actions = hub.notify(SALE, recipients).toList().associate { it.ended.tag.toInt() to it.feedback?.action }
            assertEquals(recipients.indices.toSet(), actions.keys)
            actions.forEach { (tag, action) -> assertEquals(if (tag % 100 == 7) "delete" else "keep", action, "$tag") }
        }
    }

    @Test
    fun `a flow that is left half-way cancels what has not ended, and pulls no further`() = runBlocking {
        val pulled = AtomicInteger()
        val endless = flow {
            while (true) emit(Recipient(apple("valid"), pulled.getAndIncrement().toULong()))
        }
        hub(HubOptions(queue = 1_000u, remember = 0u)).use { hub ->
            val first = withTimeout(30_000) { hub.notify(SALE, endless).take(10).toList() }
            assertEquals(10, first.size)
            val before = pulled.get()
            // What waits in the session (2,000) and in the hub (1,000), what is read ahead (2 x 512), what the flow holds.
            assertTrue(before < 8_000, "$before devices were pulled for 10 results")
            delay(300)
            assertEquals(before, pulled.get())
            val stats = hub.metrics().single().metrics.stats
            assertEquals(listOf(0uL, 0uL), listOf(stats.queued, stats.open), "$stats")
        }
    }

    @Test
    fun `a producer that throws ends the flow with its own exception`() = runBlocking {
        val broken = flow {
            repeat(5) { emit(Recipient(apple("valid"), it.toULong())) }
            error("the database is gone")
        }
        hub().use { hub ->
            val thrown = runCatching { hub.notify(SALE, broken).toList() }.exceptionOrNull()
            assertEquals("the database is gone", thrown?.message)
            val after = hub.notify(SALE, listOf(Recipient(apple("valid")))).toList()
            assertEquals(OutcomeKind.ACCEPTED, after.single().ended.get().kind)
        }
    }

    @Test
    fun `a cancelled batch tells the end of every device`() {
        sandbox.post("/faults", """{"service":"fcm","contains":"messages:send","action":{"kind":"no_answer"}}""")
        hub(HubOptions(remember = 0u)).use { hub ->
            hub.batch(SALE, SendOptions()).use { batch ->
                val offered = (0 until 50).map { Recipient(android("valid"), it.toULong()) }
                assertEquals(50u, batch.submit(offered).taken)
                assertTrue(batch.wait(200.milliseconds).isEmpty())
                assertEquals(50uL, batch.progress().first { it.app.service == ServiceKind.FCM }.progress.inFlight)
                batch.cancel()
                val ended = batch.wait(5.seconds)
                assertEquals((0 until 50).toSet(), ended.map { it.ended.tag.toInt() }.toSet())
                assertEquals(setOf(ErrorKind.CANCELLED), ended.map { it.ended.failure?.kind }.toSet())
                assertTrue(batch.isIdle())
                val refused = batch.submit(listOf(Recipient(android("valid"), 50uL))).refused.single()
                assertEquals(ErrorKind.CANCELLED, refused.ended.failure?.kind)
            }
        }
    }

    @Test
    fun `a policy of retries is followed`() = runBlocking {
        fun options(attempts: UInt) = HubOptions(Retries(attempts = attempts, firstWait = 10.milliseconds))
        assertEquals(ErrorKind.INVALID_VALUE, failureOf { hub(HubOptions(totalDeadline = 0.seconds)) }.kind)
        for ((attempts, expected) in listOf(1u to OutcomeKind.RETRY_LATER, 3u to OutcomeKind.ACCEPTED)) {
            sandbox.post("/reset", "")
            val overload = """{"kind":"answer","status":503,"body":{"error":{"code":503,"status":"UNAVAILABLE"}}}"""
            sandbox.post("/faults", """{"service":"fcm","contains":"messages:send","times":2,"action":$overload}""")
            hub(options(attempts)).use { hub ->
                val delivered = hub.notify(SALE, listOf(Recipient(android("valid")))).toList().single()
                assertEquals(expected, delivered.ended.get().kind, "$delivered")
                assertEquals(attempts, delivered.attempts)
            }
        }
        assertEquals(ErrorKind.INVALID_VALUE, failureOf { hub(options(0u)) }.kind)
        assertEquals(ErrorKind.INVALID_VALUE, failureOf { hub(HubOptions(queue = 0u)) }.kind)
        assertEquals(ErrorKind.MISSING_FIELD, failureOf { Hub(emptyList<HubClient>()) }.kind)
        assertEquals(ErrorKind.CONFLICT, failureOf { Hub((services + services).map { HubClient(it) }) }.kind)
    }

    @Test
    fun `a token that comes twice is sent to once`() = runBlocking {
        hub().use { hub ->
            val twice = listOf(Recipient(apple("valid"), 1uL), Recipient(apple("valid"), 2uL))
            val delivered = hub.notify(SALE, twice).toList().associateBy { it.ended.tag.toInt() }
            assertEquals(OutcomeKind.ACCEPTED, delivered.getValue(1).ended.get().kind)
            assertEquals(ErrorKind.DUPLICATE_DEVICE, delivered.getValue(2).ended.failure?.kind)
        }
    }

    @Test
    fun `a notification tells what a service cannot show`() {
        val buttons = """{"title":"t","subtitle":"s","body":"b","buttons":[{"id":"yes","title":"Yes"}]}"""
        val rendered = renderNotification(buttons, android("valid"))
        assertEquals(ServiceKind.FCM, rendered.message.service)
        assertTrue(rendered.losses.any { it.field == "subtitle" && it.kind == "dropped" }, "${rendered.losses}")
        assertTrue(rendered.losses.all { it.reason.isNotEmpty() })
    }
}
