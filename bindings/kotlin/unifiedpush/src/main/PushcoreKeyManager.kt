package io.github.pushcore.unifiedpush

import io.github.pushcore.PushException
import io.github.pushcore.ReceiverKeys
import org.unifiedpush.android.connector.data.PublicKeySet
import org.unifiedpush.android.connector.keys.KeyManager

/** Keeps texts by a name: the app's encrypted preferences. */
interface KeyStore {
    operator fun get(name: String): String?

    operator fun set(name: String, text: String?)
}

/** The keys of UnifiedPush's registrations, made and used by pushcore. A service of the app's hands it to the connector. */
class PushcoreKeyManager(private val store: KeyStore) : KeyManager {
    override fun generate(instance: String) = ReceiverKeys.generate().use { keys ->
        store["$instance/key"] = keys.export()
        store["$instance/auth"] = keys.auth()
    }

    override fun exists(instance: String): Boolean = store["$instance/key"] != null

    override fun delete(instance: String) {
        store["$instance/key"] = null
        store["$instance/auth"] = null
    }

    override fun getPublicKeySet(instance: String): PublicKeySet? =
        keys(instance)?.use { PublicKeySet(it.p256dh(), it.auth()) }

    /** The message, or null where it is not for these keys: the connector hands it on as it came then. */
    override fun decrypt(instance: String, sealed: ByteArray): ByteArray? =
        keys(instance)?.use { keys ->
            try {
                keys.decrypt(sealed)
            } catch (_: PushException) {
                null
            }
        }

    private fun keys(instance: String): ReceiverKeys? {
        val (key, auth) = (store["$instance/key"] ?: return null) to (store["$instance/auth"] ?: return null)
        return ReceiverKeys.restore(key.encodeToByteArray(), auth)
    }
}
