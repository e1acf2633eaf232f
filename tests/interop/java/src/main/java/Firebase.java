import com.google.api.client.http.HttpTransport;
import com.google.api.client.http.javanet.NetHttpTransport;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.firebase.FirebaseApp;
import com.google.firebase.FirebaseOptions;
import com.google.firebase.messaging.ApnsConfig;
import com.google.firebase.messaging.Aps;
import com.google.firebase.messaging.BatchResponse;
import com.google.firebase.messaging.FirebaseMessaging;
import com.google.firebase.messaging.FirebaseMessagingException;
import com.google.firebase.messaging.Message;
import com.google.firebase.messaging.Notification;
import com.google.gson.JsonObject;
import java.io.FileInputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;

/** firebase-admin for Java sends to the sandbox: one message, and a batch. */
public final class Firebase {
  public static void main(String[] args) throws Exception {
    JsonObject fcm = Common.ready("fcm");
    String authority = fcm.get("authority").getAsString();
    HttpTransport transport = new NetHttpTransport.Builder()
        .setConnectionFactory(url -> (HttpURLConnection) URI.create(
            url.toString().replace("https://fcm.googleapis.com/", "https://" + authority + "/")).toURL().openConnection())
        .build();
    // The file as the sandbox wrote it, its token_uri included.
    GoogleCredentials credentials =
        GoogleCredentials.fromStream(new FileInputStream(fcm.get("service_account_file").getAsString()), () -> transport);
    FirebaseApp.initializeApp(FirebaseOptions.builder().setCredentials(credentials).setHttpTransport(transport).build());
    FirebaseMessaging messaging = FirebaseMessaging.getInstance();
    List<String> names = new ArrayList<>(List.of("unregistered", "malformed"));
    for (int i = 0; i < 50; i++) {
      names.add("valid_2");
    }
    messaging.send(message(fcm, "valid"));
    Common.say("valid", true, "");
    List<Message> messages = new ArrayList<>();
    for (String name : names) {
      messages.add(message(fcm, name));
    }
    BatchResponse batch = messaging.sendEach(messages);
    for (int i = 0; i < names.size(); i++) {
      FirebaseMessagingException error = batch.getResponses().get(i).getException();
      String reason = error == null ? "" : String.valueOf(error.getMessagingErrorCode());
      Common.say(names.get(i), error == null, reason);
    }
    System.exit(0);
  }

  private static Message message(JsonObject fcm, String name) {
    return Message.builder()
        .setToken(fcm.getAsJsonObject("tokens").get(name).getAsString())
        .setNotification(Notification.builder().setTitle("hello").setBody("world").build())
        .setApnsConfig(ApnsConfig.builder().setAps(Aps.builder().setSound("default").build()).build())
        .build();
  }
}
