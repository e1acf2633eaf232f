import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** What the programs share: the sandbox's ready line, and results as lines of JSON. */
final class Common {
  private Common() {}

  /** A part of the file that SANDBOX_READY names. */
  static JsonObject ready(String part) throws Exception {
    String text = Files.readString(Path.of(System.getenv("SANDBOX_READY")));
    return JsonParser.parseString(text).getAsJsonObject().getAsJsonObject(part);
  }

  /** Prints what the client made of the answer to one target. */
  static synchronized void say(String target, boolean ok, String reason) {
    System.out.println(new Gson().toJson(Map.of("target", target, "ok", ok, "reason", reason)));
  }
}
