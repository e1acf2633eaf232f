import com.eatthepath.pushy.apns.ApnsClient;
import com.eatthepath.pushy.apns.ApnsClientBuilder;
import com.eatthepath.pushy.apns.auth.ApnsSigningKey;
import com.eatthepath.pushy.apns.util.SimpleApnsPushNotification;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * {@code PushySend PORT CA KEY SECONDS IN_FLIGHT BODY CONNECTIONS} sends the file BODY with Pushy for SECONDS, over CONNECTIONS
 * connections (Pushy's default is 1), with IN_FLIGHT pushes under way as Pushy's guide does it: with a semaphore.
 */
public final class PushySend {
  public static void main(String[] args) throws Exception {
    double seconds = Double.parseDouble(args[3]);
    int inFlight = Integer.parseInt(args[4]);
    String body = Files.readString(Path.of(args[5]));
    ApnsClient client = new ApnsClientBuilder()
        .setApnsServer("localhost", Integer.parseInt(args[0]))
        .setTrustedServerCertificateChain(new File(args[1]))
        .setSigningKey(ApnsSigningKey.loadFromPkcs8File(new File(args[2]), "TEAMID1234", "ABCDE12345"))
        .setConcurrentConnections(Integer.parseInt(args[6]))
        .build();
    Semaphore places = new Semaphore(inFlight);
    AtomicLong accepted = new AtomicLong();
    long started = System.nanoTime();
    long end = started + (long) (seconds * 1e9);
    for (long number = 1; System.nanoTime() < end; number++) {
      if (!places.tryAcquire(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        break;
      }
      client.sendNotification(new SimpleApnsPushNotification(String.format("%064x", number), "com.example.app", body))
          .whenComplete((answer, error) -> {
            places.release();
            if (answer != null && answer.isAccepted() && System.nanoTime() < end) {
              accepted.incrementAndGet();
            }
          });
    }
    System.out.printf(Locale.ROOT, "sent=%d per_second=%.0f%n", accepted.get(), accepted.get() / seconds);
    System.exit(0);
  }
}
