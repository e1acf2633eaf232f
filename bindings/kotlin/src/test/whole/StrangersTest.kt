package io.github.pushcore

import java.io.ByteArrayInputStream
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.security.KeyStore
import java.security.Security
import java.security.cert.CertificateFactory
import java.util.Base64
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509TrustManager
import kotlin.test.assertEquals
import nl.martijndwars.webpush.Encoding
import nl.martijndwars.webpush.PushService
import nl.martijndwars.webpush.Utils
import okhttp3.OkHttpClient
import okhttp3.Protocol
import okhttp3.RequestBody.Companion.toRequestBody
import org.bouncycastle.jce.interfaces.ECPublicKey
import org.bouncycastle.jce.provider.BouncyCastleProvider
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance

/** Other people's code on the other side: HTTP clients that send our requests, a sender whose bodies we decrypt. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StrangersTest {
    private val sandbox = Sandbox("--no-governor")
    private val trust: X509TrustManager

    init {
        val certificate = CertificateFactory.getInstance("X.509")
            .generateCertificate(ByteArrayInputStream(file(sandbox.ready["ca_file"])))
        val store = KeyStore.getInstance(KeyStore.getDefaultType()).apply {
            load(null, null)
            setCertificateEntry("ca", certificate)
        }
        val factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).apply { init(store) }
        trust = factory.trustManagers.filterIsInstance<X509TrustManager>().single()
    }

    private val tls = SSLContext.getInstance("TLS").apply { init(null, arrayOf(trust), null) }

    @AfterAll
    fun stop() = sandbox.close()

    private val message = sandbox.alert().to(sandbox.ready["apns"]["tokens"]["unregistered"].text)

    @Test
    fun `OkHttp sends a request, and the answer is read`() {
        val client = OkHttpClient.Builder().sslSocketFactory(tls.socketFactory, trust).build()
        sandbox.apns().use { service ->
            val request = service.request(message)
            val foreign = okhttp3.Request.Builder().url(request.url).method(request.method, request.body.toRequestBody())
            request.headers.forEach { foreign.header(it.name, it.value) }
            client.newCall(foreign.build()).execute().use { answer ->
                assertEquals(Protocol.HTTP_2, answer.protocol)
                val headers = answer.headers.map { (name, value) -> Header(name, value) }
                val outcome = service.outcome(message, Response(answer.code.toUShort(), headers, answer.body.bytes()))
                assertEquals(OutcomeKind.TOKEN_GONE, outcome.kind)
            }
        }
        client.dispatcher.executorService.shutdown()
        client.connectionPool.evictAll()
    }

    @Test
    fun `the JDK's client sends a request, and the answer is read`() {
        val client = HttpClient.newBuilder().sslContext(tls).version(HttpClient.Version.HTTP_2).build()
        sandbox.apns().use { service ->
            val request = service.request(message)
            val foreign = HttpRequest.newBuilder(URI(request.url))
                .method(request.method, HttpRequest.BodyPublishers.ofByteArray(request.body))
            // The JDK says these itself, and refuses to be told.
            request.headers.filter { it.name != "content-length" }.forEach { foreign.header(it.name, it.value) }
            val answer = client.send(foreign.build(), HttpResponse.BodyHandlers.ofByteArray())
            assertEquals(HttpClient.Version.HTTP_2, answer.version())
            val outcome = service.outcome(message, Response(answer.statusCode().toUShort(), emptyList(), answer.body()))
            assertEquals(OutcomeKind.TOKEN_GONE, outcome.kind)
            assertEquals("Unregistered", outcome.reason)
        }
    }

    @Test
    fun `a body of webpush-java is decrypted`() {
        Security.addProvider(BouncyCastleProvider())
        ReceiverKeys.generate().use { keys ->
            val public = Utils.loadPublicKey(keys.p256dh()) as ECPublicKey
            val secret = Base64.getUrlDecoder().decode(keys.auth())
            for (text in listOf("", "hello", "ü".repeat(1_000))) {
                val sent = PushService.encrypt(text.encodeToByteArray(), public, secret, Encoding.AES128GCM)
                assertEquals(text, keys.decrypt(sent.ciphertext).decodeToString())
            }
        }
    }
}
