package io.github.pushcore

import java.io.File
import java.time.Instant
import java.util.Base64
import kotlin.test.assertEquals
import kotlin.test.assertContentEquals
import kotlin.test.assertTrue
import kotlin.time.DurationUnit
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

/** tests/vectors, through the same JSON that Rust and Python run. */
class VectorsTest {
    private fun vectors(name: String): JsonElement =
        Json.parseToJsonElement(File(root, "tests/vectors/$name.json").readText())

    private val kinds = mapOf(
        "adm" to ServiceKind.ADM,
        "apns" to ServiceKind.APNS,
        "baidu" to ServiceKind.BAIDU,
        "fcm" to ServiceKind.FCM,
        "webpush" to ServiceKind.WEB_PUSH,
    )

    private val earlier = Instant.ofEpochSecond(1_500_000_000)

    private fun service(kind: ServiceKind, environment: Environment = Environment.PRODUCTION): Service =
        when (kind) {
            ServiceKind.ADM -> Service.admProfile("id", "s").also {
                val token = """{"access_token":"t","expires_in":3600,"token_type":"bearer"}"""
                check(it.authorization(earlier) is Authorization.Fetch)
                check(it.acceptToken(Response(200u, emptyList(), token.encodeToByteArray()), earlier))
            }
            ServiceKind.APNS -> Service.apnsKey(newKey(), "ABC123DEFG", "DEF123GHIJ", environment)
            ServiceKind.BAIDU -> Service.baiduKeys("AK", "SK")
            ServiceKind.FCM -> Service.fcmAccessTokens("my-app").also {
                it.supplyToken("t", kotlin.time.Duration.parse("1h"), earlier)
            }
            ServiceKind.WEB_PUSH -> Service.webPushKey(newKey(), "mailto:push@example.com")
        }

    private fun headers(request: Request) =
        request.headers.filter { it.name != "authorization" }.associate { it.name to it.value }

    @TestFactory
    fun messages(): List<DynamicTest> = kinds.flatMap { (name, kind) ->
        val vectors = vectors(name)
        listOf("encode", "broadcasts", "invalid").flatMap { vectors.rows(it) }.map { row ->
            DynamicTest.dynamicTest("$name ${row["name"].text}") { message(kind, row, vectors) }
        }
    }

    private fun message(kind: ServiceKind, row: JsonElement, vectors: JsonElement) {
        val environment = if (row.find("environment")?.text == "sandbox") Environment.SANDBOX else Environment.PRODUCTION
        val form = listOf("message", "broadcast", "json").firstNotNullOf { row.find(it) }.form
        val message = Message(kind, form)
        val at = if (kind == ServiceKind.APNS) Instant.ofEpochSecond(1_700_000_000) else earlier
        val service = service(kind, environment)
        row.find("error")?.let { error ->
            val failure = failureOf { service.request(message, at) }
            val name = if (error is JsonObject) error.getValue("kind").text else error.text
            val path = (if (error is JsonObject) error.find("path") else row.find("path"))?.text.orEmpty()
            assertEquals(name.lowercase(), failure.kind.name.replace("_", "").lowercase(), failure.text)
            assertTrue(failure.text.startsWith(path), failure.text)
            return
        }
        val request = service.request(message, at)
        val again = checkMessage(message)
        assertEquals(again.json, checkMessage(again).json)
        val body = request.body.decodeToString()
        when (kind) {
            ServiceKind.APNS -> {
                val expected = row["request"]
                assertEquals(expected["method"].text, request.method)
                assertEquals(expected["url"].text, request.url)
                assertEquals(expected["body"].text, body)
                assertEquals(expected["headers"].jsonObject.mapValues { it.value.text }, headers(request))
            }
            ServiceKind.WEB_PUSH -> {
                assertEquals(row["url"].text, request.url)
                assertEquals(row["headers"].jsonObject.mapValues { it.value.text }, headers(request))
                val plain = row.find("plain")?.text?.encodeToByteArray()
                    ?: row.find("plain_base64")?.let { Base64.getUrlDecoder().decode(it.text) }
                if (plain != null) assertContentEquals(plain, decrypted(request, vectors))
            }
            ServiceKind.BAIDU -> {
                assertTrue(request.url.endsWith(row["path"].text))
                assertEquals(row["body"].text, body)
            }
            else -> {
                row.find("text")?.let { assertEquals(it.text, body) }
                row.find("body")?.let { assertEquals(it, Json.parseToJsonElement(body)) }
                assertTrue(request.url.endsWith((row.find("path") ?: vectors["request"]["path"]).text))
            }
        }
    }

    /** The receiver of RFC 8291, appendix A. */
    private fun decrypted(request: Request, vectors: JsonElement): ByteArray {
        val receiver = vectors.rows("receive").first()
        ReceiverKeys.restore(keyOf(receiver["private_key"].text), receiver["auth"].text).use { keys ->
            val legacy = request.headers.firstOrNull { it.name == "encryption" } ?: return keys.decrypt(request.body)
            val key = request.headers.first { it.name == "crypto-key" }
            return keys.decryptAesgcm(request.body, key.value, legacy.value)
        }
    }

    private val answered = mapOf(
        "adm" to """{"registration_id":"used","data":{"k":"v"}}""",
        "baidu" to """{"kind":"android","msg":"{\"title\":\"t\",\"description\":\"d\"}","target":{"device":"1"}}""",
        "fcm" to """{"token":"t","data":{"k":"v"}}""",
        "webpush" to """{"subscription":{"endpoint":"https://updates.push.services.mozilla.com/wpush/v2/abc"}}""",
        "wns" to """{"subscription":{"endpoint":"https://db3.notify.windows.com/w/?token=abc"}}""",
    )

    @TestFactory
    fun answers(): List<DynamicTest> = kinds.flatMap { (name, kind) ->
        vectors(name).rows("decode").map { row ->
            DynamicTest.dynamicTest("$name ${row["name"].text}") {
                val apns = kind == ServiceKind.APNS
                val registered = row.find("registered_at_ms")?.let { ""","registered_at_ms":${it.text}""" }.orEmpty()
                val alert = """{"push_type":"alert","bundle":"a.b","device":"ab","payload":{"aps":{"alert":"x"}}$registered}"""
                val message = Message(kind, if (apns) alert else answered.getValue(if (row["name"].text.startsWith("wns")) "wns" else name))
                val headers = row["headers"].jsonObject.map { Header(it.key, it.value.text) }
                val body = row["body"].form.encodeToByteArray()
                val response = Response(row["status"].jsonPrimitive.int.toUShort(), headers, body)
                val at = Instant.ofEpochSecond(if (apns) 1_700_000_000 else 784_111_747)
                if ((row.find("registered_at_ms")?.jsonPrimitive?.long ?: Long.MAX_VALUE) < 1_000_000_000_000) {
                    // No form says that a token was registered before 2001: it is refused.
                    assertEquals(ErrorKind.INVALID_VALUE, failureOf { service(kind).outcome(message, response, at) }.kind)
                    return@dynamicTest
                }
                val outcome = service(kind).outcome(message, response, at)
                val expected = (row.find("expect") ?: row["outcome"]).jsonObject
                assertEquals(response.status, outcome.status)
                assertContentEquals(body, outcome.body)
                val told = told(outcome)
                assertEquals(expected["outcome"] ?: expected["name"], told["outcome"])
                for ((key, value) in expected) {
                    if (key !in setOf("outcome", "name")) assertEquals(value, told[key], key)
                }
                // Nothing more is told than the row says, of what the row could say.
                for (key in listOf("id", "reason", "replacement", "since_ms")) {
                    if (key !in expected) assertEquals(null, told[key], key)
                }
            }
        }
    }

    private fun told(outcome: Outcome): Map<String, JsonElement> {
        fun text(value: String?) = value?.let { kotlinx.serialization.json.JsonPrimitive(it) }
        fun number(value: Long?) = value?.let { kotlinx.serialization.json.JsonPrimitive(it) }
        fun flag(value: Boolean) = kotlinx.serialization.json.JsonPrimitive(value)
        val suspects = outcome.suspects.map { kotlinx.serialization.json.JsonPrimitive(it.name.lowercase()) }
        return mapOf(
            "outcome" to text(outcome.kind.name.lowercase()),
            "id" to text(outcome.id),
            "unique_id" to text(outcome.uniqueId),
            "reason" to text(outcome.reason),
            "known" to flag(outcome.reasonIsKnown),
            "unknown_reason" to flag(!outcome.reasonIsKnown),
            "replacement" to text(outcome.replacement),
            "location" to text(outcome.location),
            "receipt" to text(outcome.receipt),
            "ttl" to number(outcome.ttl?.toLong(DurationUnit.SECONDS)),
            "since_ms" to number(outcome.since?.toEpochMilli()),
            "after" to number(outcome.after?.toLong(DurationUnit.SECONDS)),
            "after_s" to number(outcome.after?.toLong(DurationUnit.SECONDS)),
            "scope" to text(outcome.scope?.name?.lowercase()),
            "suspects" to JsonArray(suspects),
            "refreshable" to flag(outcome.refreshable),
            "reconnect" to flag(outcome.reconnect),
            "clock_skew" to number(outcome.clockSkew),
        ).filterValues { it != null }.mapValues { checkNotNull(it.value) }
    }

    @Test
    fun endpoints() {
        val endpoints = vectors("webpush")["endpoints"]
        fun judged(service: Service, url: JsonElement) = runCatching {
            service.request(webPush(WebPushPayload()).to("""{"endpoint":$url}"""), earlier)
        }
        service(ServiceKind.WEB_PUSH).use { service ->
            endpoints.rows("allowed").forEach { assertTrue(judged(service, it).isSuccess, it.text) }
            endpoints.rows("refused").forEach { assertTrue(judged(service, it).isFailure, it.text) }
            endpoints.rows("refused_by_default").forEach { assertTrue(judged(service, it).isFailure, it.text) }
        }
        val any = Service.webPushKey(newKey(), "mailto:push@example.com", EndpointPolicy(anyPublicHost = true))
        any.use { service ->
            endpoints.rows("refused").forEach { assertTrue(judged(service, it).isFailure, it.text) }
            endpoints.rows("refused_by_default").forEach { assertTrue(judged(service, it).isSuccess, it.text) }
        }
    }

    @Test
    fun topics() {
        val rows = vectors("webpush").rows("topics")
        service(ServiceKind.WEB_PUSH).use { service ->
            for (row in rows) {
                val apple = runCatching {
                    val message = webPush(WebPushPayload(topic = row["text"].text))
                    service.request(message.to("""{"endpoint":"https://web.push.apple.com/x"}"""), earlier)
                }
                assertEquals(row["ok"].jsonPrimitive.boolean, apple.isSuccess, row["text"].text)
                apple.onSuccess { assertEquals(row["apple"].text, headers(it)["topic"]) }
            }
        }
    }
}
