package io.github.pushcore

import java.io.File
import java.time.Instant
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

/** tests/dialects/plays.json, which every language plays: requests of original clients to their replies. */
class DialectTest {
    private val plays = Json.parseToJsonElement(File(root, "tests/dialects/plays.json").readText())

    private fun begin(play: JsonElement): DialectJob {
        val request = play["request"]
        val headers = request["headers"].jsonArray.map {
            IncomingHeader(it.jsonArray[0].text, it.jsonArray[1].text.encodeToByteArray())
        }
        val incoming = IncomingRequest(
            request["method"].text,
            request["target"].text,
            headers,
            request["body"].text.encodeToByteArray(),
        )
        val dialect = Dialect.open(play["system"].text, play["options"].toString())
        return dialect.begin(incoming, Instant.ofEpochSecond(play["now"].jsonPrimitive.long))
    }

    @TestFactory
    fun `a play ends in its reply`(): List<DynamicTest> =
        plays.rows("plays").map { DynamicTest.dynamicTest(it["label"].text) { play(it) } }

    private fun play(play: JsonElement) {
        var job = begin(play)
        assertEquals(play["operation"].text, job.operation())
        for (row in play.rows("steps")) {
            assertNull(job.reply())
            job = DialectJob.fromJson(job.toJson())
            val step = job.steps().first()
            val data = Json.parseToJsonElement(step.json)
            assertTrue(data.holds(row["expect"]), "$data\n${row["expect"]}")
            assertEquals(data["step"].text, step.kind.name.lowercase())
            row.find("to")?.let {
                val message = broadcastMessage(step.json, it["target"].toString())
                assertEquals(ServiceKind.WEB_PUSH, message.service)
                val payload = Json.parseToJsonElement(Json.parseToJsonElement(message.json)["payload"].text)
                assertTrue(payload.holds(it["payload"]), "$payload")
            }
            val response = row.find("response")
            when {
                "answer" in row.jsonObject -> job.answer(step.id, row.jsonObject.getValue("answer").toString())
                response != null -> job.sent(step.id, outcome(assertNotNull(step.message), response))
                else -> job.unknown(step.id)
            }
        }
        val reply = assertNotNull(job.reply())
        val expected = play["reply"]
        assertEquals(emptyList(), job.steps())
        assertEquals(expected["status"].jsonPrimitive.int, reply.status.toInt())
        assertEquals(expected["content_type"].text, reply.headers.first { it.name == "Content-Type" }.value)
        assertEquals(expected["remember"].jsonPrimitive.int, reply.remember.size)
        val body = Json.parseToJsonElement(reply.body.decodeToString())
        assertTrue(body.holds(expected["body"]), "$body")
        assertEquals(reply.status.toInt(), Json.parseToJsonElement(reply.json)["status"].jsonPrimitive.int)
    }

    private fun outcome(message: Message, response: JsonElement): Outcome {
        val service = when (message.service) {
            ServiceKind.APNS -> Service.apnsKey(newKey(), "ABC123DEFG", "DEF123GHIJ", Environment.PRODUCTION)
            else -> Service.fcmAccessTokens("my-app")
        }
        val status = response["status"].jsonPrimitive.int.toUShort()
        return service.outcome(message, Response(status, emptyList(), response["body"].text.encodeToByteArray()))
    }

    @Test
    fun `an answer that cannot be is refused and the step waits on`() {
        val play = plays.rows("plays").first()
        val job = begin(play)
        val step = job.steps().single()
        assertEquals(ErrorKind.INVALID_VALUE, failureOf { job.answer(step.id, "7") }.kind)
        assertEquals(ErrorKind.INVALID_PAYLOAD, failureOf { job.answer(step.id, "{") }.kind)
        assertEquals(ErrorKind.MISUSE, failureOf { job.answer(step.id + 1u, "null") }.kind)
        assertEquals(ErrorKind.MISUSE, failureOf { job.unknown(step.id) }.kind)
        assertEquals(listOf(step.id), job.steps().map { it.id })
        assertEquals(ErrorKind.INVALID_VALUE, failureOf { Dialect.open("nobody's") }.kind)
        assertEquals(ErrorKind.INVALID_PAYLOAD, failureOf { DialectJob.fromJson("{}") }.kind)
        val incoming = IncomingRequest("GET", "no target", emptyList(), ByteArray(0))
        assertEquals(ErrorKind.INVALID_VALUE, failureOf { Dialect.open("pinpoint").begin(incoming) }.kind)
        // A message without an answer: the failure that its client had.
        for (row in play.rows("steps").dropLast(1)) job.answer(job.steps().first().id, row["answer"].toString())
        val failure = failureOf { checkMessage(Message(ServiceKind.ADM, "{")) }
        job.failed(job.steps().first().id, failure)
        val result = Json.parseToJsonElement(assertNotNull(job.reply()).body.decodeToString())["Result"].jsonObject
        assertEquals("PERMANENT_FAILURE", result.values.single()["DeliveryStatus"].text)
    }

    @Test
    fun `tables, digest, signature and selections`() {
        assertContentEquals(listOf("pinpoint", "pushpad", "ionic", "cozie", "fcm_legacy"), dialectSystems())
        for (system in dialectSystems()) {
            val routes = Dialect.open(system).routes()
            assertTrue(routes.isNotEmpty() && routes.all { it.path.startsWith("/") && it.operation.isNotEmpty() })
        }
        val digest = plays["digest"]
        assertEquals(digest["sha256"].text, tokenDigest(digest["key"].text))
        val signed = plays["signature"]
        assertEquals(signed["signature"].text, pushpadSignature(signed["token"].text, signed["uid"].text))
        for (row in plays.rows("selections")) {
            val selection = DialectSelection.of(row["filter"].toString())
            val said = { case: JsonElement ->
                selection.selects(case.jsonArray[0].textOrNull, case.jsonArray[1].jsonArray.map { it.text })
            }
            row.rows("selected").forEach { assertTrue(said(it), "$row $it") }
            row.rows("not").forEach { assertFalse(said(it), "$row $it") }
        }
    }

    /** Whether a value holds every member of the expected one. */
    private fun JsonElement.holds(expected: JsonElement): Boolean = when (expected) {
        is JsonObject -> this is JsonObject && expected.all { (name, value) ->
            val there = this[name]
            there != null && if (value is JsonNull) there is JsonNull else there.holds(value)
        }
        else -> this == expected
    }
}
