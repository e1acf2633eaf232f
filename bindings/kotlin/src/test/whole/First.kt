import io.github.pushcore.*
import java.io.File
import kotlinx.coroutines.runBlocking

fun main(args: Array<String>): Unit = runBlocking {
    val (key, keyId, teamId, bundle, token) = args
    // Where a test has a sandbox; Apple's hosts and the public roots otherwise.
    val (host, ca) = listOf("PUSH_HOST", "PUSH_CA").map(System::getenv)
    val service = Service.apnsKey(File(key).readBytes(), keyId, teamId, host = host)
    Client(service, ClientOptions(ca = ca?.let { File(it).readBytes() })).use { client ->
        val message = apnsAlert(ApnsAlert(bundle = bundle, title = "Hello", body = "world"))
        println(client.send(message.to(token)).advice)
    }
}
