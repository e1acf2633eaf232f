package io.github.pushcore

/** The same message to [target]: a device token, or for Web Push the subscription's JSON. */
public fun Message.to(target: String): Message = copy(target = target)
