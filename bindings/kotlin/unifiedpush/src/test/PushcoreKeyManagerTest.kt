package io.github.pushcore.unifiedpush

import java.security.Security
import java.util.Base64
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import nl.martijndwars.webpush.Encoding
import nl.martijndwars.webpush.PushService
import nl.martijndwars.webpush.Utils
import org.bouncycastle.jce.interfaces.ECPublicKey
import org.bouncycastle.jce.provider.BouncyCastleProvider
import org.junit.jupiter.api.Test
import org.unifiedpush.android.connector.keys.KeyManager

class PushcoreKeyManagerTest {
    private val kept = mutableMapOf<String, String?>()
    private val store = object : KeyStore {
        override fun get(name: String) = kept[name]

        override fun set(name: String, text: String?) {
            if (text == null) kept.remove(name) else kept[name] = text
        }
    }

    @Test
    fun `the connector's keys are pushcore's`() {
        Security.addProvider(BouncyCastleProvider())
        val manager: KeyManager = PushcoreKeyManager(store)
        assertFalse(manager.exists("news"))
        assertNull(manager.getPublicKeySet("news"))
        manager.generate("news")
        assertTrue(manager.exists("news"))
        val keys = assertNotNull(manager.getPublicKeySet("news"))
        // A sender that knows only what the app's server was told.
        val public = Utils.loadPublicKey(keys.pubKey) as ECPublicKey
        val secret = Base64.getUrlDecoder().decode(keys.auth)
        val sent = PushService.encrypt("hello".encodeToByteArray(), public, secret, Encoding.AES128GCM)
        assertEquals("hello", manager.decrypt("news", sent.ciphertext)?.decodeToString())
        assertNull(manager.decrypt("news", ByteArray(200)))
        assertNull(manager.decrypt("other", sent.ciphertext))
        manager.delete("news")
        assertTrue(kept.isEmpty())
    }
}
