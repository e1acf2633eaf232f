package io.github.pushcore

import java.io.File
import java.util.concurrent.atomic.AtomicInteger
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.add
import kotlinx.serialization.json.addJsonArray
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory

private const val TOPIC = "org.example.app"

private fun program(): String {
    val program = System.getenv("PUSHCORE_PEER") ?: "$root/target/debug/pushcore-peer"
    check(File(program).canExecute()) { "$program is missing: cargo build -p pushcore-tests --bin pushcore-peer" }
    return program
}

/** The suite of all drivers (tests/drivers): the cases and what must come of them are the peer's. */
class DriversTest {
    @TestFactory
    fun cases(): List<DynamicTest> {
        val listed = ProcessBuilder(program(), "--list", "kotlin").redirectError(ProcessBuilder.Redirect.DISCARD).start()
        val names = listed.inputReader().readLines()
        assertEquals(0, listed.waitFor())
        assertTrue(names.size > 50, "$names")
        return names.map { name -> DynamicTest.dynamicTest(name) { play(name) } }
    }

    private fun play(name: String) {
        Peer(name).use { peer ->
            val played = Played(peer)
            val began = TimeSource.Monotonic.markNow()
            val error = runCatching { runBlocking { played.play() } }.exceptionOrNull()
            val report = peer.ask(played.said(began.elapsedNow(), error))
            assertEquals("[]", report["faults"].toString(), report.toString().take(4_000))
        }
    }
}

/** One case being played. */
private class Peer(name: String) : AutoCloseable {
    private val process = ProcessBuilder(program(), name, "kotlin").redirectError(ProcessBuilder.Redirect.INHERIT).start()
    private val input = process.outputWriter()
    private val output = process.inputReader()
    val told: JsonElement = Json.parseToJsonElement(output.readLine())

    @Synchronized
    fun ask(line: JsonElement): JsonElement {
        input.write("$line\n")
        input.flush()
        return Json.parseToJsonElement(output.readLine())
    }

    fun until(step: JsonElement) {
        val wanted = JsonObject(step.jsonObject.filterKeys { it != "do" })
        assertEquals("true", ask(buildJsonObject { put("until", wanted) })["until"].text, "the peer never saw $wanted")
    }

    override fun close() {
        input.close()
        process.waitFor()
    }
}

private class Played(private val peer: Peer) {
    private val told = peer.told
    private val names = errorKinds().associate { it.kind to it.text }
    private val ends = mutableListOf<Triple<Int, String, String>>()
    private val taken = AtomicInteger()
    private var toldTaken: Int? = null
    private var next = 0

    fun said(elapsed: Duration, error: Throwable?): JsonElement = buildJsonObject {
        putJsonArray("ends") {
            ends.forEach { (number, end, cause) -> addJsonArray { add(number); add(end); add(cause) } }
        }
        put("seconds", elapsed.inWholeMilliseconds / 1000.0)
        toldTaken?.let { put("taken", it) }
        error?.let { put("error", it.toString()) }
    }

    private fun numbers(step: JsonElement): List<Int> {
        val first = next
        next += step["count"].jsonPrimitive.int
        return (first until next).toList()
    }

    private fun options(): ClientOptions {
        var options = ClientOptions(
            ca = file(told["ca"]), bundledRoots = false, environmentProxy = false, proxy = told.find("proxy")?.text,
        )
        for ((name, value) in told["options"].jsonObject) {
            options = when (name) {
                "max_connections" -> options.copy(maxConnections = value.jsonPrimitive.int.toUInt())
                "max_queued" -> options.copy(maxQueued = value.jsonPrimitive.int.toUInt())
                "max_requeues" -> options.copy(maxRequeues = value.jsonPrimitive.int.toUByte())
                "first_backoff" -> options.copy(firstBackoff = value.seconds)
                "connect_timeout" -> options.copy(connectTimeout = value.seconds)
                "response_timeout" -> options.copy(responseTimeout = value.seconds)
                "deadline" -> options.copy(deadline = value.seconds)
                "seed" -> options.copy(seed = value.jsonPrimitive.long.toULong())
                "http2" -> options.copy(http2 = http2(value.jsonObject))
                else -> error("no option is called $name")
            }
        }
        return options
    }

    private fun http2(settings: JsonObject): Http2Options {
        val known = setOf("ping_after", "ping_timeout", "settings_timeout", "max_in_flight")
        check(known.containsAll(settings.keys)) { "${settings.keys}" }
        return Http2Options(
            pingAfter = settings["ping_after"]?.seconds,
            pingTimeout = settings["ping_timeout"]?.seconds,
            settingsTimeout = settings["settings_timeout"]?.seconds,
            maxInFlight = settings["max_in_flight"]?.jsonPrimitive?.int?.toUInt(),
        )
    }

    private fun service(): Service = when (told["service"].text) {
        "apns" -> Service.apnsKey(file(told["key"]), "ABC123DEFG", "DEF123GHIJ", host = told["host"].text)
        "web_push" ->
            Service.webPushKey(file(told["key"]), "mailto:ops@example.org", EndpointPolicy(anyPublicHost = true))
        else -> Service.fcmFile(file(told["account"]), host = told["host"].text, tokenHost = told["host"].text)
    }

    private fun token(number: Int) = number.toString(16).padStart(64, '0')

    private fun target(number: Int): Target = when (told["service"].text) {
        "web_push" -> Target("""{"endpoint":"https://push.example.org/p/${token(number)}"}""", number.toULong())
        else -> Target(token(number), number.toULong())
    }

    private val template: Message by lazy {
        when (told["service"].text) {
            "web_push" -> webPush(WebPushPayload())
            else -> apnsAlert(ApnsAlert(bundle = TOPIC, body = "x".repeat(told["size"].jsonPrimitive.int)))
        }
    }

    private fun word(kind: ErrorKind) = names.getValue(kind)

    private fun failed(number: Int, failure: Failure) {
        val cause = failure.causes.lastOrNull()?.let { word(it.kind) }.orEmpty()
        synchronized(ends) { ends.add(Triple(number, word(failure.kind), cause)) }
    }

    private fun ended(number: Int, outcome: Outcome) {
        synchronized(ends) { ends.add(Triple(number, outcome.kind.name.lowercase(), "")) }
    }

    private fun ended(end: Ended) {
        end.outcome?.let { ended(end.tag.toInt(), it) }
        end.failure?.let { failed(end.tag.toInt(), it) }
    }

    private fun Client.many(numbers: List<Int>): Flow<Ended> =
        sendMany(template, numbers.asFlow().onEach { taken.incrementAndGet() }.map { target(it) })

    private suspend fun Client.one(number: Int, step: JsonElement) {
        try {
            if (step["do"].text == "call") {
                call(Call.FcmSubscribe(token(number), "news"))
            } else {
                ended(number, send(template.to(target(number).to)))
            }
        } catch (error: CancellationException) {
            synchronized(ends) { ends.add(Triple(number, "Cancelled", "")) }
            throw error
        } catch (error: PushException) {
            failed(number, error.failure())
        }
    }

    suspend fun play() {
        service().use { service ->
            Client(service, options()).use { client ->
                for (step in told["steps"].jsonArray) client.step(step)
                client.shutdown()
            }
        }
    }

    private suspend fun Client.step(step: JsonElement) {
        when (val what = step["do"].text) {
            "bulk" -> many(numbers(step)).collect { ended(it) }
            "one_by_one", "call" -> numbers(step).forEach { one(it, step) }
            "together", "together_closed", "together_cancelled" -> coroutineScope {
                val running = numbers(step).map { launch(start = CoroutineStart.UNDISPATCHED) { one(it, step) } }
                step.find("until")?.let { peer.until(it) }
                when (what) {
                    "together_closed" -> shutdown()
                    // Those that wait first: the end of one in flight would make room for them.
                    "together_cancelled" -> running.reversed().forEach(Job::cancel)
                }
                running.joinAll()
            }
            "bulk_left" -> {
                val numbers = numbers(step)
                many(numbers).take(step["fetch"].jsonPrimitive.int).collect { ended(it) }
                val fetched = ends.map { it.first }.toSet()
                numbers.filter { it !in fetched }.forEach { ends.add(Triple(it, "left", "")) }
            }
            "unfetched" -> {
                var fetched = 0
                many(numbers(step)).collect {
                    ended(it)
                    fetched += 1
                    if (fetched == step["fetch"].jsonPrimitive.int) {
                        delay(step["pause"].seconds)
                        toldTaken = taken.get()
                    }
                }
            }
            "until" -> peer.until(step)
            "pause" -> delay(step["seconds"].seconds)
            else -> error("the driver lacks the step $what")
        }
    }
}

private val JsonElement.seconds: Duration get() = jsonPrimitive.double.seconds
