package io.github.pushcore

import java.io.File
import java.nio.charset.CharacterCodingException
import java.time.Instant
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class BadInputTest {
    private fun apns() = Service.apnsKey(newKey(), "ABC123DEFG", "DEF123GHIJ")

    private fun alert(title: String) = apnsAlert(ApnsAlert(bundle = "com.example.app", title = title))

    @Test
    fun `a lone surrogate is an exception, a NUL is a character`() {
        assertThrows<CharacterCodingException> { alert("a\uD800b") }
        assertThrows<CharacterCodingException> { alert("x").let { checkMessage(it.to("\uDC00")) } }
        assertTrue(alert("a\u0000b").json.contains("\\\\u0000") || alert("a\u0000b").json.contains("\\u0000"))
        assertEquals(ErrorKind.INVALID_TOKEN, failureOf { checkMessage(alert("x").to("ab\u0000")) }.kind)
    }

    @Test
    fun `empty and 4 MiB arrays`() {
        assertEquals(ErrorKind.INVALID_KEY, failureOf { Service.apnsKey(ByteArray(0), "ABC123DEFG", "DEF123GHIJ") }.kind)
        val large = ByteArray(4 * 1024 * 1024) { 65 }
        assertEquals(1, failureOf { Service.apnsKey(large, "ABC123DEFG", "DEF123GHIJ") }.number.toInt() / 100)
        ReceiverKeys.generate().use { keys ->
            assertEquals(ErrorKind.INVALID_CIPHERTEXT, failureOf { keys.decrypt(ByteArray(0)) }.kind)
            assertEquals(2, failureOf { keys.decrypt(large) }.number.toInt() / 100)
        }
        assertEquals(ErrorKind.PAYLOAD_TOO_LARGE, failureOf { webPush(WebPushPayload(large)) }.kind)
        apns().use { service ->
            val outcome = service.outcome(alert("x").to("ab"), Response(500u, emptyList(), large))
            assertEquals(OutcomeKind.RETRY_LATER, outcome.kind)
        }
    }

    @Test
    fun `durations and times that are none`() {
        for (duration in listOf((-1).seconds, Duration.INFINITE, -Duration.INFINITE)) {
            apns().use { service ->
                assertEquals(ErrorKind.INVALID_VALUE, failureOf { Client(service, ClientOptions(deadline = duration)) }.kind)
            }
            assertEquals(ErrorKind.INVALID_VALUE, failureOf { webPush(WebPushPayload(ttl = duration)) }.kind)
        }
        apns().use { service ->
            val message = alert("x").to("ab")
            assertEquals(ErrorKind.INVALID_VALUE, failureOf { service.request(message, Instant.MIN) }.kind)
            assertEquals(ErrorKind.INVALID_VALUE, failureOf { Client(service, ClientOptions(maxQueued = 0u)) }.kind)
        }
    }

    @Test
    fun `an object used after it was destroyed`() {
        val service = apns()
        val client = Client(service)
        service.close()
        // The client has its own share.
        assertEquals(0uL, client.stats().submitted)
        client.close()
        assertThrows<IllegalStateException> { client.stats() }
        client.close()
        assertThrows<IllegalStateException> { service.request(alert("x").to("ab")) }
    }

    @Test
    fun `a batch with a target in its template, of another service, or of whole messages`() {
        apns().use { service ->
            Client(service).use { client ->
                assertEquals(ErrorKind.INVALID_TARGET, failureOf { client.batch(alert("x").to("ab"), SendOptions()) }.kind)
                client.batchOfMessages(SendOptions()).use { batch ->
                    assertEquals(ErrorKind.MISUSE, failureOf { batch.submit(listOf(Target("ab"))) }.kind)
                    batch.cancel()
                    val refused = batch.submitMessages(listOf(Tagged(alert("x").to("ab"), 7uL)))
                    assertEquals(1u, refused.taken)
                    assertEquals(ErrorKind.CANCELLED, refused.refused.single().failure?.kind)
                    assertEquals(7uL, refused.refused.single().tag)
                    assertTrue(batch.wait(0.seconds).isEmpty())
                }
            }
            assertEquals(ErrorKind.MISUSE, failureOf { service.publicKey() }.kind)
            assertEquals(ErrorKind.MISUSE, failureOf { service.request(Message(ServiceKind.FCM, """{"token":"t"}""")) }.kind)
        }
    }

    @Test
    fun `what is printed of a service and of an error holds no secret`() {
        val secret = "the-client-secret-of-adm"
        Service.admProfile("client", secret).use { assertFalse(it.toString().contains(secret)) }
        val failure = failureOf { Service.apnsKey("-----BEGIN $secret-----".encodeToByteArray(), "ABC123DEFG", "DEF123GHIJ") }
        assertFalse(failure.toString().contains(secret), "$failure")
    }

    @Test
    fun `every error kind has the number of docs and errors`() {
        val kinds = errorKinds().associate { it.text to it.number.toInt() }
        assertEquals(ErrorKind.entries.size, kinds.size)
        val listed = Regex("""^\| (\d{3}) \| `(\w+)`""", RegexOption.MULTILINE)
        val documented = listed.findAll(File(root, "docs/errors.md").readText())
            .associate { it.groupValues[2] to it.groupValues[1].toInt() }
        assertEquals(documented, kinds)
    }

    @Test
    fun `a library of another build is refused`() {
        val other = File(System.getProperty("jna.library.path"), "../l1/libpushcore_uniffi.so").canonicalFile
        check(other.exists()) { "$other is missing: bindings/uniffi/generate.sh makes it" }
        val command = listOf(
            "${System.getProperty("java.home")}/bin/java", "-cp", System.getProperty("java.class.path"),
            "-Duniffi.component.pushcore.libraryOverride=$other", "FirstKt", "/dev/null", "k", "t", "b", "t",
        )
        val process = ProcessBuilder(command).redirectErrorStream(true).start()
        val said = process.inputReader().readText()
        assertTrue(process.waitFor() != 0)
        assertTrue(said.contains("UnsatisfiedLinkError") || said.contains("checksum"), said)
    }
}
