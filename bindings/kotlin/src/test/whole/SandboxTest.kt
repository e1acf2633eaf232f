package io.github.pushcore

import java.io.File
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.jsonArray
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.assertThrows

/** Real sockets, real TLS, real signatures: the five services on this machine. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SandboxTest {
    private val sandbox = Sandbox("--no-governor")

    @AfterAll
    fun stop() = sandbox.close()

    private fun client(service: Service, options: ClientOptions = sandbox.options) = Client(service, options)

    private fun token(name: String) = sandbox.ready["apns"]["tokens"][name].text

    @Test
    fun `a push to each of the five services, and one to a token that is dead`() = runBlocking {
        val ready = sandbox.ready
        client(sandbox.apns()).use { client ->
            val taken = client.send(sandbox.alert().to(token("valid")))
            assertEquals(OutcomeKind.ACCEPTED, taken.kind)
            assertNotNull(taken.id)
            val gone = client.send(sandbox.alert().to(token("unregistered")))
            assertEquals(OutcomeKind.TOKEN_GONE, gone.kind)
            assertEquals("Unregistered", gone.reason)
            assertEquals(410u, gone.status)
            assertEquals(ready["apns"]["unregistered_at_ms"].text, gone.since?.toEpochMilli().toString())
            assertEquals(2uL, client.stats().submitted)
            assertTrue(client.events().any { it.name == "connected" })
            assertTrue(client.shutdown(5.seconds))
            val closed = runCatching { client.send(sandbox.alert().to(token("valid"))) }.exceptionOrNull()
            assertEquals(ErrorKind.CLOSED, (closed as PushException).failure().kind)
        }
        client(sandbox.fcm()).use { client ->
            val message = fcmNotification(FcmNotification(title = "Hello", data = mapOf("score" to "3:1")))
            assertEquals(OutcomeKind.ACCEPTED, client.send(message.to(ready["fcm"]["tokens"]["valid"].text)).kind)
            val gone = client.send(message.to(ready["fcm"]["tokens"]["unregistered"].text))
            assertEquals(OutcomeKind.TOKEN_GONE, gone.kind)
        }
        client(sandbox.webPush()).use { client ->
            val message = webPush(WebPushPayload("hello".encodeToByteArray(), ttl = 60.seconds, urgency = Urgency.HIGH))
            val subscriptions = ready["webpush"]["subscriptions"]
            assertEquals(OutcomeKind.ACCEPTED, client.send(message.to("${subscriptions["active"]}")).kind)
            assertEquals(OutcomeKind.TOKEN_GONE, client.send(message.to("${subscriptions["expired"]}")).kind)
        }
        client(sandbox.adm()).use { client ->
            val message = Message(ServiceKind.ADM, """{"data":{"score":"3:1"}}""")
            val registrations = ready["adm"]["registrations"]
            assertEquals(OutcomeKind.ACCEPTED, client.send(message.to(registrations["valid"].text)).kind)
            val replaced = client.send(message.to(registrations["replaced"].text))
            assertEquals(registrations["replacement"].text, replaced.replacement)
        }
        client(sandbox.baidu()).use { client ->
            val message = Message(ServiceKind.BAIDU, """{"kind":"android","msg":"{\"title\":\"t\",\"description\":\"d\"}"}""")
            assertEquals(OutcomeKind.ACCEPTED, client.send(message.to(ready["baidu"]["channels"]["valid"].text)).kind)
        }
    }

    @Test
    fun `20,000 pushes with one dead token in a hundred, accounted for by tag`() = runBlocking {
        val (good, dead) = token("valid") to token("unregistered")
        val targets = (0 until 20_000).map { Target(if (it % 100 == 7) dead else good, it.toULong()) }
        client(sandbox.apns()).use { client ->
            val ended = client.sendMany(sandbox.alert(), targets).toList()
            assertEquals(targets.indices.toSet(), ended.map { it.tag.toInt() }.toSet())
            assertEquals(20_000, ended.size)
            for (end in ended) {
                val expected = if (end.tag % 100uL == 7uL) OutcomeKind.TOKEN_GONE else OutcomeKind.ACCEPTED
                assertEquals(expected, end.get().kind, "tag ${end.tag}")
            }
            val stats = client.stats()
            assertEquals(listOf(20_000uL, 19_800uL, 200uL), listOf(stats.submitted, stats.accepted, stats.tokenGone))
        }
    }

    @Test
    fun `a slow collector holds the targets back, and stopping cancels what is left`() = runBlocking {
        val pulled = AtomicInteger()
        val endless = flow {
            while (true) emit(Target(token("valid"), pulled.getAndIncrement().toULong()))
        }
        client(sandbox.apns()).use { client ->
            val first = withTimeout(20_000) { client.sendMany(sandbox.alert(), endless).take(10).toList() }
            assertEquals(10, first.size)
            val before = pulled.get()
            // What may wait (2,000), what is read ahead (2 x 512), and what the flow holds for its collector.
            assertTrue(before < 8_000, "$before targets were pulled for 10 results")
            delay(300)
            assertEquals(before, pulled.get())
            val stats = client.stats()
            assertEquals(0uL, stats.queued, "$stats")
        }
    }

    @Test
    fun `a producer that throws ends the flow with its own exception`() = runBlocking {
        val broken = flow {
            repeat(5) { emit(Target(token("valid"), it.toULong())) }
            error("the database is gone")
        }
        client(sandbox.apns()).use { client ->
            val thrown = runCatching { client.sendMany(sandbox.alert(), broken).toList() }.exceptionOrNull()
            assertEquals("the database is gone", thrown?.message)
            // The client is as good as before.
            assertEquals(OutcomeKind.ACCEPTED, client.send(sandbox.alert().to(token("valid"))).kind)
        }
    }

    @Test
    fun `a cancelled send does not wait for its answer`() = runBlocking {
        client(sandbox.apns(), sandbox.options.copy(deadline = 60.seconds)).use { client ->
            sandbox.post("/connect-faults", """{"service":"apns","action":{"kind":"hold"}}""")
            val job = launch(Dispatchers.Default) { client.send(sandbox.alert().to(token("valid"))) }
            delay(300)
            withTimeout(5_000) { job.cancelAndJoin() }
            assertTrue(job.isCancelled)
        }
        sandbox.post("/reset", "")
        Unit
    }

    @Test
    fun `200 threads on one client`() {
        client(sandbox.apns()).use { client ->
            val accepted = AtomicInteger()
            val threads = List(200) {
                kotlin.concurrent.thread {
                    val outcome = client.sendBlocking(sandbox.alert().to(token("valid")), SendOptions())
                    if (outcome.kind == OutcomeKind.ACCEPTED) accepted.incrementAndGet()
                }
            }
            threads.forEach { it.join() }
            assertEquals(200, accepted.get())
        }
    }

    @Test
    fun `suspended sends at the same time`() = runBlocking(Dispatchers.Default) {
        client(sandbox.apns()).use { client ->
            val sends = List(300) { async { client.send(sandbox.alert().to(token("valid"))).kind } }
            assertEquals(setOf(OutcomeKind.ACCEPTED), sends.awaitAll().toSet())
        }
    }

    @Test
    fun `messages that differ, and one that is wrong`() = runBlocking {
        val messages = listOf(
            Tagged(sandbox.alert().to(token("valid")), 1uL),
            Tagged(sandbox.alert().to("xyz"), 2uL),
            Tagged(Message(ServiceKind.FCM, "{}"), 3uL),
        )
        client(sandbox.apns()).use { client ->
            val ended = client.sendAll(messages.asFlow()).toList().associateBy { it.tag }
            assertEquals(OutcomeKind.ACCEPTED, ended.getValue(1uL).get().kind)
            assertEquals(ErrorKind.INVALID_TOKEN, ended.getValue(2uL).failure?.kind)
            assertEquals(200, ended.getValue(3uL).failure?.number?.let { it / 100u * 100u }?.toInt())
        }
    }

    @Test
    fun `no connection is an error with its cause`() = runBlocking {
        val nobody = java.net.ServerSocket(0).use { it.localPort }
        val service = Service.apnsKey(newKey(), "ABC123DEFG", "DEF123GHIJ", host = "localhost:$nobody")
        val quick = ClientOptions(deadline = 1.seconds, firstBackoff = 0.1.seconds)
        client(service, quick).use { client ->
            val thrown = runCatching { client.send(sandbox.alert().to(token("valid"))) }.exceptionOrNull()
            val failure = (thrown as PushException.NoAnswer).failure
            assertTrue(failure.kind == ErrorKind.NOT_SENT || failure.kind == ErrorKind.EXPIRED, "$failure")
            assertTrue(failure.causes.any { it.kind == ErrorKind.CONNECT_REFUSED && it.number == 400.toUShort() }, "$failure")
        }
    }

    @Test
    fun `1,000 clients made and dropped leave nothing behind`() {
        fun descriptors() = File("/proc/self/fd").list()?.size ?: 0
        sandbox.apns().use { service ->
            fun some(count: Int) = repeat(count) { client(service).close() }
            some(100)
            val before = descriptors()
            some(1_000)
            assertTrue(descriptors() <= before + 8, "$before descriptors became ${descriptors()}")
        }
    }

    @Test
    fun `the reader's first program`() {
        val source = File(root, "bindings/kotlin/src/test/whole/First.kt").readText()
        val code = source.lines().filter { it.isNotBlank() && !it.startsWith("import") && !it.trim().startsWith("//") }
        assertTrue(code.size < 15, "${code.size} lines")
        assertTrue(File(root, "docs/kotlin.md").readText().contains(source.trim()), "docs/kotlin.md shows another program")
        val apns = sandbox.ready["apns"]
        val command = listOf(
            "${System.getProperty("java.home")}/bin/java", "-cp", System.getProperty("java.class.path"),
            "-Djna.library.path=${System.getProperty("jna.library.path")}", "FirstKt",
            apns["p8_file"].text, apns["key_id"].text, apns["team_id"].text, apns["topic"].text, token("valid"),
        )
        val program = ProcessBuilder(command).redirectErrorStream(true)
        program.environment() += mapOf("PUSH_HOST" to apns["authority"].text, "PUSH_CA" to sandbox.ready["ca_file"].text)
        val process = program.start()
        val said = process.inputReader().readText().trim()
        assertEquals(0, process.waitFor(), said)
        assertEquals("nothing to do", said)
    }
}

