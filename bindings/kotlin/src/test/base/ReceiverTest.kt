package io.github.pushcore

import java.io.File
import java.util.Base64
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.serialization.json.Json
import org.junit.jupiter.api.Test

/** What every build has: keys and decryption of Web Push. */
class ReceiverTest {
    @Test
    fun received() {
        val rows = Json.parseToJsonElement(File(root, "tests/vectors/webpush.json").readText()).rows("receive")
        assertTrue(rows.size >= 12)
        for (row in rows) {
            ReceiverKeys.restore(keyOf(row["private_key"].text), row["auth"].text).use { keys ->
                val body = Base64.getUrlDecoder().decode(row["body"].text)
                val open = {
                    when (val key = row.find("crypto_key")) {
                        null -> keys.decrypt(body)
                        else -> keys.decryptAesgcm(body, key.text, row["encryption"].text)
                    }
                }
                when (val error = row.find("error")) {
                    null -> assertEquals(row["plain"].text, open().decodeToString(), row["name"].text)
                    else -> {
                        val failure = failureOf { open() }
                        assertEquals(error.text.lowercase(), failure.kind.name.replace("_", "").lowercase())
                    }
                }
            }
        }
    }

    @Test
    fun `keys are made, kept and restored`() {
        ReceiverKeys.generate().use { keys ->
            ReceiverKeys.restore(keys.export().encodeToByteArray(), keys.auth()).use { again ->
                assertEquals(keys.p256dh(), again.p256dh())
                val subscription = Json.parseToJsonElement(again.subscriptionJson("https://push.example.org/1"))
                assertEquals(keys.p256dh(), subscription["keys"]["p256dh"].text)
                assertEquals(keys.auth(), subscription["keys"]["auth"].text)
            }
        }
    }

    @Test
    fun `a decrypted message is read as a browser does`() {
        val declarative = """{"web_push":8030,"notification":{"title":"t","navigate":"https://example.org/"}}"""
        assertIs<Received.Declarative>(readReceived(declarative.encodeToByteArray()))
        assertEquals(Received.Json("""{"a":1}"""), readReceived("""{"a":1}""".encodeToByteArray()))
        assertContentEquals(byteArrayOf(1, 2), assertIs<Received.Bytes>(readReceived(byteArrayOf(1, 2))).bytes)
    }

    @Test
    fun `bad input is an exception`() {
        ReceiverKeys.generate().use { keys ->
            assertEquals(ErrorKind.INVALID_CIPHERTEXT, failureOf { keys.decrypt(ByteArray(0)) }.kind)
            assertEquals(2, failureOf { keys.decrypt(ByteArray(4 * 1024 * 1024) { 65 }) }.number.toInt() / 100)
        }
        assertEquals(1, failureOf { ReceiverKeys.restore(ByteArray(0), "") }.number.toInt() / 100)
        val closed = ReceiverKeys.generate().also { it.close() }
        assertTrue(runCatching { closed.export() }.exceptionOrNull() is IllegalStateException)
    }
}
