import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.security.Security;
import nl.martijndwars.webpush.Encoding;
import nl.martijndwars.webpush.Notification;
import nl.martijndwars.webpush.PushService;
import nl.martijndwars.webpush.Subscription;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** The Java library web-push sends to the sandbox, in both encodings. */
public final class WebPush {
  public static void main(String[] args) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    JsonObject webpush = Common.ready("webpush");
    JsonObject vapid = webpush.getAsJsonObject("vapid");
    PushService service = new PushService(
        vapid.get("public_key").getAsString(), vapid.get("private_key").getAsString(), vapid.get("subject").getAsString());
    for (Encoding encoding : Encoding.values()) {
      for (String name : new String[] {"active", "expired", "throttled"}) {
        Subscription subscription =
            new Gson().fromJson(webpush.getAsJsonObject("subscriptions").get(name), Subscription.class);
        int status = service.send(new Notification(subscription, "{\"title\": \"hello\"}"), encoding)
            .getStatusLine().getStatusCode();
        Common.say(name, status == 201, Integer.toString(status));
      }
    }
    System.exit(0);
  }
}
