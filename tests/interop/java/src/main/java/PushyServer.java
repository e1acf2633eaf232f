import com.eatthepath.pushy.apns.server.MockApnsServer;
import com.eatthepath.pushy.apns.server.MockApnsServerBuilder;
import com.eatthepath.pushy.apns.server.PushNotificationHandlerFactory;
import com.eatthepath.pushy.apns.server.RejectedNotificationException;
import com.eatthepath.pushy.apns.server.RejectionReason;
import com.eatthepath.pushy.apns.server.UnregisteredDeviceTokenException;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/** Pushy's mock server: PushyServer CERTIFICATE KEY PORT. A token's first two digits say what becomes of a push. */
public final class PushyServer {
  public static void main(String[] args) throws Exception {
    PushNotificationHandlerFactory handlers = session -> (headers, payload) -> {
      String path = headers.path().toString();
      String token = path.substring(path.lastIndexOf('/') + 1);
      Common.say(token, true, payload == null ? "" : payload.toString(StandardCharsets.UTF_8));
      if (token.startsWith("dd")) {
        throw new UnregisteredDeviceTokenException(Instant.ofEpochMilli(1_700_000_000_000L));
      }
      if (token.startsWith("bb")) {
        throw new RejectedNotificationException(RejectionReason.BAD_DEVICE_TOKEN);
      }
    };
    MockApnsServer server = new MockApnsServerBuilder()
        .setServerCredentials(new File(args[0]), new File(args[1]), null)
        .setHandlerFactory(handlers)
        // Pushy's own client needs no ALPN; every other does (RFC 9113 section 3.3).
        .setUseAlpn(true)
        .build();
    server.start(Integer.parseInt(args[2])).get();
    System.out.println("{\"listening\":true}");
    System.in.read();
    server.shutdown().get();
    System.exit(0);
  }
}
