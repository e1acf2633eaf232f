package io.github.pushcore

import java.io.File
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import kotlin.test.assertEquals
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull

/** The sandbox as a child process, with what it says when everything listens. */
class Sandbox(vararg arguments: String) : AutoCloseable {
    private val process: Process
    val ready: JsonElement

    init {
        val program = System.getenv("PUSHCORE_SANDBOX") ?: "$root/target/debug/pushcore-sandbox"
        check(File(program).canExecute()) { "$program is missing: cargo build -p pushcore-sandbox" }
        val builder = ProcessBuilder(program, "--exit-with-stdin", *arguments)
        process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start()
        ready = Json.parseToJsonElement(process.inputReader().readLine())
    }

    val options: ClientOptions = ClientOptions(ca = file(ready["ca_file"]), bundledRoots = false)

    /** APNs, all of it behind one of the sandbox's addresses: `authority`, `management` or `broadcast`. */
    fun apns(place: String = "authority"): Service {
        val apns = ready["apns"]
        val (key, team) = apns["key_id"].text to apns["team_id"].text
        val environment = if (apns["environment"].text == "production") Environment.PRODUCTION else Environment.SANDBOX
        return Service.apnsKey(file(apns["p8_file"]), key, team, environment, apns[place].text)
    }

    fun fcm(): Service {
        val host = ready["fcm"]["authority"].text
        return Service.fcmFile(file(ready["fcm"]["service_account_file"]), host = host, tokenHost = host)
    }

    fun webPush(): Service {
        val vapid = ready["webpush"]["vapid"]
        val policy = EndpointPolicy(trusted = listOf(ready["webpush"]["authority"].text))
        return Service.webPushKey(file(vapid["pem_file"]), vapid["subject"].text, policy)
    }

    fun adm(): Service {
        val adm = ready["adm"]
        val host = adm["authority"].text
        return Service.admProfile(adm["client_id"].text, adm["client_secret"].text, host, host)
    }

    fun baidu(): Service {
        val baidu = ready["baidu"]
        return Service.baiduKeys(baidu["api_key"].text, baidu["secret_key"].text, baidu["authority"].text)
    }

    fun alert(): Message = apnsAlert(ApnsAlert(bundle = ready["apns"]["topic"].text, title = "Hello"))

    fun get(path: String): JsonElement = call(path, null)

    fun post(path: String, body: String): JsonElement = call(path, body)

    private fun call(path: String, body: String?): JsonElement {
        val control = ready["control"]
        val request = HttpRequest.newBuilder(URI(control["url"].text + path))
        if (body != null) {
            request.header("authorization", "Bearer ${control["token"].text}")
            request.POST(HttpRequest.BodyPublishers.ofString(body))
        }
        val answer = HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString())
        assertEquals(200, answer.statusCode(), answer.body())
        return if (answer.body().isEmpty()) JsonNull else Json.parseToJsonElement(answer.body())
    }

    override fun close() {
        process.outputStream.close()
        process.waitFor()
    }
}
