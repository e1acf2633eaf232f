import com.eatthepath.pushy.apns.ApnsClient;
import com.eatthepath.pushy.apns.ApnsClientBuilder;
import com.eatthepath.pushy.apns.PushNotificationResponse;
import com.eatthepath.pushy.apns.auth.ApnsSigningKey;
import com.eatthepath.pushy.apns.util.SimpleApnsPushNotification;
import com.google.gson.JsonObject;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;

/** Pushy's client sends to the sandbox. */
public final class PushyClient {
  public static void main(String[] args) throws Exception {
    JsonObject apns = Common.ready("apns");
    String authority = apns.get("authority").getAsString();
    int colon = authority.lastIndexOf(':');
    ApnsClient client = new ApnsClientBuilder()
        .setApnsServer(authority.substring(0, colon), Integer.parseInt(authority.substring(colon + 1)))
        .setTrustedServerCertificateChain(new File(System.getenv("SANDBOX_CA")))
        .setSigningKey(ApnsSigningKey.loadFromPkcs8File(
            new File(apns.get("p8_file").getAsString()), apns.get("team_id").getAsString(), apns.get("key_id").getAsString()))
        .build();
    List<String> names = new ArrayList<>(List.of("valid", "unregistered", "unknown"));
    for (int i = 0; i < 50; i++) {
      names.add("valid_2");
    }
    List<Future<PushNotificationResponse<SimpleApnsPushNotification>>> answers = new ArrayList<>();
    for (String name : names) {
      String token = apns.getAsJsonObject("tokens").get(name).getAsString();
      answers.add(client.sendNotification(
          new SimpleApnsPushNotification(token, apns.get("topic").getAsString(), "{\"aps\":{\"alert\":\"hello\"}}")));
    }
    for (int i = 0; i < names.size(); i++) {
      PushNotificationResponse<SimpleApnsPushNotification> answer = answers.get(i).get();
      Common.say(names.get(i), answer.isAccepted(), answer.getRejectionReason().orElse(""));
    }
    client.close().get();
  }
}
