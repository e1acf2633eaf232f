package io.github.pushcore

import java.io.File
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.assertThrows

val root: File = File(checkNotNull(System.getProperty("pushcore.root"))).canonicalFile

operator fun JsonElement.get(name: String): JsonElement = jsonObject.getValue(name)

fun JsonElement.find(name: String): JsonElement? = jsonObject[name]?.takeIf { it !is JsonNull }

val JsonElement.text: String get() = jsonPrimitive.content

val JsonElement.textOrNull: String? get() = (this as? JsonPrimitive)?.contentOrNull

val JsonElement.isText: Boolean get() = this is JsonPrimitive && isString

/** The text of a form: the row's own, or the object's, with every value as it is written. */
val JsonElement.form: String get() = if (isText) text else toString()

fun JsonElement.rows(name: String): JsonArray = (find(name) ?: JsonArray(emptyList())).jsonArray

fun failureOf(block: () -> Unit): Failure = assertThrows<PushException> { block() }.failure()

fun PushException.failure(): Failure =
    when (this) {
        is PushException.Credentials -> failure
        is PushException.Message -> failure
        is PushException.Tls -> failure
        is PushException.Transport -> failure
        is PushException.NoAnswer -> failure
        is PushException.Misuse -> failure
        is PushException.Internal -> failure
    }

fun file(path: JsonElement): ByteArray = File(path.text).readBytes()

fun keyOf(scalar: String): ByteArray = scalar.encodeToByteArray()

/** A P-256 key made now, in PKCS#8. */
fun newKey(): ByteArray {
    val generator = java.security.KeyPairGenerator.getInstance("EC")
    generator.initialize(java.security.spec.ECGenParameterSpec("secp256r1"))
    return generator.generateKeyPair().private.encoded
}
