package io.github.pushcore

import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.Json
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance

/** Requests that are no messages, and what a client tells of itself. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CallsTest {
    private val sandbox = Sandbox("--no-governor")

    @AfterAll
    fun stop() = sandbox.close()

    private fun <T> with(service: Service, block: suspend (Client) -> T): T =
        service.use { Client(it, sandbox.options).use { client -> runBlocking { block(client) } } }

    private fun CallAnswer.kind(): OutcomeKind = assertIs<CallAnswer.Outcome>(this).outcome.kind

    @Test
    fun `a channel of APNs from its creation to its deletion, and a broadcast`() = with(sandbox.apns("management")) { client ->
        val bundle = sandbox.ready["apns"]["topic"].text
        val made = client.call(Call.ApnsCreateChannel(bundle, ChannelStorage.NO_STORAGE))
        val channel = assertIs<CallAnswer.Text>(made).text
        assertEquals(listOf(channel), assertIs<CallAnswer.Texts>(client.call(Call.ApnsListChannels(bundle))).texts)
        assertEquals(CallAnswer.Text("no_storage"), client.call(Call.ApnsReadChannel(bundle, channel)))
        val broadcast = Message(
            ServiceKind.APNS,
            """{"bundle":"$bundle","channel":"$channel","storage_policy":0,
                "payload":{"raw":{"aps":{"timestamp":1800000000,"event":"update","content-state":{"score":1}}}}}""",
        )
        suspend fun send() = sandbox.apns("broadcast").use { Client(it, sandbox.options).use { it.send(broadcast).kind } }
        assertEquals(OutcomeKind.ACCEPTED, send())
        assertEquals(OutcomeKind.ACCEPTED, client.call(Call.ApnsDeleteChannel(bundle, channel)).kind())
        assertEquals(OutcomeKind.REJECTED, send())
        assertEquals(OutcomeKind.REJECTED, client.call(Call.ApnsReadChannel(bundle, channel)).kind())
        assertEquals(5uL, client.stats().answered)
    }

    @Test
    fun `topics of FCM`() = with(sandbox.fcm()) { client ->
        val tokens = sandbox.ready["fcm"]["tokens"]
        val (good, dead) = tokens["valid"].text to tokens["unregistered"].text
        assertEquals(OutcomeKind.ACCEPTED, client.call(Call.FcmSubscribe(good, "news")).kind())
        val page = assertIs<CallAnswer.Page>(client.call(Call.FcmListSubscriptions(good)))
        assertEquals(listOf("news"), page.subscriptions.map { it.topic })
        assertEquals(null, page.nextPageToken)
        val many = assertIs<CallAnswer.Batch>(client.call(Call.FcmSubscribeMany(listOf(good, dead), "sport")))
        assertEquals(listOf(TopicResult.Done, TopicResult.TokenGone), many.results)
        assertEquals(OutcomeKind.ACCEPTED, client.call(Call.FcmUnsubscribe(good, "news")).kind())
    }

    @Test
    fun `groups of ADM`() = with(sandbox.adm()) { client ->
        val member = sandbox.ready["adm"]["registrations"]["valid"].text
        val made = assertIs<CallAnswer.Group>(client.call(Call.AdmCreateGroup("fans", listOf(member))))
        assertEquals(CallAnswer.Group(1uL, emptyList()), made)
        val left = assertIs<CallAnswer.Group>(client.call(Call.AdmRemoveFromGroup("fans", listOf(member, "nobody"))))
        assertEquals(listOf("nobody"), left.failed)
    }

    @Test
    fun `tags of Baidu`() = with(sandbox.baidu()) { client ->
        val channel = sandbox.ready["baidu"]["channels"]["valid"].text
        suspend fun ask(subject: BaiduSubject) = client.call(Call.Baidu(subject))
        assertIs<CallAnswer.Json>(ask(BaiduSubject.CreateTag("vip ~ 会员")))
        assertIs<CallAnswer.Json>(ask(BaiduSubject.TagDevices("vip ~ 会员", listOf(channel))))
        val count = assertIs<CallAnswer.Json>(ask(BaiduSubject.DevicesWithTag("vip ~ 会员")))
        assertEquals("""{"device_num":1}""", Json.parseToJsonElement(count.json).toString())
        val again = assertIs<CallAnswer.Outcome>(ask(BaiduSubject.CreateTag("vip ~ 会员")))
        assertEquals("30610", again.outcome.reason)
    }

    @Test
    fun `a Web Push message is taken back`() = with(sandbox.webPush()) { client ->
        val subscription = sandbox.ready["webpush"]["subscriptions"]["active"].toString()
        val message = webPush(WebPushPayload("soon gone".encodeToByteArray())).to(subscription)
        val location = checkNotNull(client.send(message).location)
        assertEquals(OutcomeKind.ACCEPTED, client.call(Call.WebPushWithdraw(location, subscription)).kind())
    }

    @Test
    fun `a call with an HTTP client of one's own`() {
        sandbox.apns().use { service ->
            val list = Call.ApnsListChannels("com.example.app")
            val request = service.callRequest(list)
            assertEquals("GET", request.method)
            assertTrue(request.url.endsWith("/1/apps/com.example.app/all-channels"), request.url)
            val channels = Response(200u, emptyList(), """{"channels":["dHN0LXNyY2gtY2hubA=="]}""".encodeToByteArray())
            assertEquals(CallAnswer.Texts(listOf("dHN0LXNyY2gtY2hubA==")), service.callAnswer(list, channels))
            assertEquals(ErrorKind.MISUSE, failureOf { service.callRequest(Call.FcmSubscribe("t", "news")) }.kind)
            assertEquals(ErrorKind.INVALID_TOPIC, failureOf { service.callRequest(Call.ApnsListChannels("")) }.kind)
        }
    }

    @Test
    fun `a cancelled call does not wait for its answer`() {
        sandbox.apns().use { service ->
            val silent = java.net.ServerSocket(0)
            val mute = Service.apnsKey(newKey(), "ABC123DEFG", "DEF123GHIJ", host = "localhost:${silent.localPort}")
            Client(mute, ClientOptions(deadline = 60.seconds)).use { client ->
                runBlocking {
                    val job = launch(Dispatchers.Default) { client.call(Call.ApnsListChannels("com.example.app")) }
                    delay(300)
                    withTimeout(5_000) { job.cancelAndJoin() }
                    assertTrue(job.isCancelled)
                }
                assertEquals(1uL, client.stats().cancelled)
            }
            mute.close()
            silent.close()
        }
    }

    @Test
    fun `a client tells of its connections, hosts and latencies`() = with(sandbox.apns()) { client ->
        assertEquals(emptyList(), client.connections())
        val target = sandbox.ready["apns"]["tokens"]["valid"].text
        client.send(sandbox.alert().to(target), SendOptions(priority = Priority.BULK))
        val connection = client.connections().single()
        assertTrue(connection.ready && connection.streams > 0uL && connection.roundTrip != null, "$connection")
        assertEquals(sandbox.ready["apns"]["authority"].text, connection.authority)
        assertEquals(listOf(connection.authority), client.hosts().map { it.authority })
        val metrics = client.metrics()
        assertEquals(listOf("queue", "wire", "whole"), metrics.latencies.map { it.phase })
        assertEquals(listOf(1uL, 1uL, 1uL), metrics.latencies.map { it.count })
        assertEquals(null, metrics.latencies[0].steps.last().bound)
        val text = client.openMetrics(listOf(Label("app", "news")))
        assertTrue(text.contains("""pushcore_messages_total{service="apns",app="news",outcome="accepted"} 1"""), text)
        assertEquals(ErrorKind.INVALID_VALUE, failureOf { client.openMetrics(listOf(Label("le", "x"))) }.kind)
    }

    @Test
    fun `a certificate in PKCS#12`() {
        val file = File.createTempFile("push", ".p12").also { it.delete() }
        val keytool = ProcessBuilder(
            "${System.getProperty("java.home")}/bin/keytool", "-genkeypair", "-alias", "push", "-keyalg", "RSA",
            "-dname", "CN=Apple Push Services: com.example.app", "-storetype", "PKCS12", "-storepass", "a pass word",
            "-keystore", file.path,
        ).redirectErrorStream(true).start()
        assertEquals(0, keytool.waitFor(), keytool.inputReader().readText())
        val bytes = file.readBytes().also { file.delete() }
        Service.apnsPkcs12(bytes, "a pass word").use { assertEquals(ServiceKind.APNS, it.kind()) }
        assertEquals(ErrorKind.WRONG_PASSWORD, failureOf { Service.apnsPkcs12(bytes, "another") }.kind)
        assertEquals(1, failureOf { Service.apnsPkcs12(ByteArray(0), "") }.number.toInt() / 100)
    }
}
