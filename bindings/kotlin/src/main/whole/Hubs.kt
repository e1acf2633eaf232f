package io.github.pushcore

import kotlin.time.Duration
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.withContext

/** A hub of [clients], at most one for an app in an environment. [client] is how those reach the network that do not say. */
public fun Hub(
    clients: List<HubClient>,
    client: ClientOptions = ClientOptions(),
    options: HubOptions = HubOptions(),
): Hub {
    uniffiEnsureInitialized()
    return Hub.open(clients, client, options)
}

/**
 * Sends a notification (the JSON of docs/notification.md) to devices of every service; emits the end of each, in the order in
 * which they come. [Recipient.tag] says whose it is.
 *
 * Cold: every collection sends anew. Devices are pulled as there is room. When the collector stops, or [recipients] throws, what
 * has not ended is cancelled. [options] are those of each attempt.
 */
public fun Hub.notify(
    notification: String,
    recipients: Flow<Recipient>,
    options: SendOptions = SendOptions(),
): Flow<Delivered> = sending(recipients) { HubSteps(batch(notification, options)) }

/** [notify] with the devices of a collection or a sequence. */
public fun Hub.notify(
    notification: String,
    recipients: Iterable<Recipient>,
    options: SendOptions = SendOptions(),
): Flow<Delivered> = notify(notification, recipients.asFlow(), options)

/**
 * Takes no more messages, and suspends until those taken have ended and the connections are closed, for at most [longest].
 * Returns whether everything has ended.
 */
public suspend fun Hub.shutdown(longest: Duration? = null): Boolean =
    withContext(threads) { shutdownBlocking(longest) }
