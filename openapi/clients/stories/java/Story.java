import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import postroom.ApiClient;
import postroom.ApiException;
import postroom.api.DeliveriesApi;
import postroom.api.DeliveriesApi.APIListDeliveriesRequest;
import postroom.api.DestinationsApi;
import postroom.api.EventsApi;
import postroom.api.EventsApi.APIListEventsRequest;
import postroom.api.HooksApi;
import postroom.api.MonitorsApi;
import postroom.api.MonitorsApi.APIListMonitorsRequest;
import postroom.api.ReplaysApi;
import postroom.model.*;

/**
 * What a program does with a gateway, from a webhook to its replay; the same in every language of docs/clients.md.
 *
 * <p>It takes the gateway and its keys from the environment, and expects a source `postman`, a destination `archive` and
 * a destination `copies` that runs the plugin `backup`.
 */
public final class Story {
  private static final String URL = System.getenv("POSTROOM_URL");
  private static final ObjectMapper JSON = ApiClient.createDefaultObjectMapper();

  private static ApiClient connect(String key) {
    ApiClient client = new ApiClient();
    client.updateBaseUri(URL);
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + key));
    return client;
  }

  /** Sends what Postman would send; gives the ids of the events. The client has the source's token as its key. */
  private static List<String> receive(ApiClient postman) throws Exception {
    HooksApi hooks = new HooksApi(postman);
    List<String> sent = new ArrayList<>();
    for (long number = 1; number <= 3; number++) {
      MonitorRunResult run =
          new MonitorRunResult()
              .monitorUid("story-monitor")
              .monitorName("Checkout")
              .metrics(new MonitorRunMetrics().failedTests(0L).requestCount(number));
      Accepted accepted = hooks.receiveHook("postman", run, null, null);
      expect(accepted.getKind().equals("monitor_run"), accepted);
      sent.add(accepted.getEventId());
    }
    Map<String, String> info = Map.of("_postman_id", "story-collection", "name", "Orders");
    CollectionBackup backup = new CollectionBackup().collection(Map.of("info", info, "item", List.of()));
    sent.add(hooks.receiveHook("postman", backup, null, null).getEventId());
    return sent;
  }

  /** Every event, newest first; asks for a page at a time. */
  private static List<Event> allEvents(ApiClient client, long limit) throws Exception {
    List<Event> events = new ArrayList<>();
    String cursor = null;
    do {
      APIListEventsRequest request = APIListEventsRequest.newBuilder().limit(limit).cursor(cursor).build();
      EventPage page = new EventsApi(client).listEvents(request);
      events.addAll(page.getItems());
      cursor = page.getNextCursor();
    } while (cursor != null);
    return events;
  }

  /** Every event, two to a page; then the body of the first one. */
  private static void look(ApiClient client, List<String> sent) throws Exception {
    List<Event> events = allEvents(client, 2);
    expect(events.size() == sent.size(), events);
    for (int at = 0; at < sent.size(); at++) {
      expect(events.get(at).getId().equals(sent.get(sent.size() - 1 - at)), events);
    }
    EventsApi api = new EventsApi(client);
    APIListEventsRequest runs =
        APIListEventsRequest.newBuilder().kind("monitor_run").subject("story-monitor").build();
    expect(api.listEvents(runs).getItems().size() == 3, runs);

    Event event = api.getEvent(sent.get(0));
    File file = api.downloadEventBody(sent.get(0));
    expect(file.length() == event.getBodyBytes(), file.length());
    MonitorRunResult run = JSON.readValue(file, MonitorRunResult.class);
    expect(run.getMonitorName().equals("Checkout"), run);
    Files.delete(file.toPath());
  }

  /** What became of an event, as soon as it is delivered. */
  private static Delivery deliver(ApiClient client, String event) throws Exception {
    DeliveriesApi api = new DeliveriesApi(client);
    while (true) {
      APIListDeliveriesRequest request =
          APIListDeliveriesRequest.newBuilder().eventId(event).state("delivered").build();
      List<Delivery> delivered = api.listDeliveries(request).getItems();
      if (!delivered.isEmpty()) {
        Delivery delivery = api.getDelivery(delivered.get(0).getId());
        List<Attempt> attempts = delivery.getAttempts();
        expect(attempts.size() == 1 && attempts.get(0).getOutcome().equals("delivered"), attempts);
        return delivery;
      }
      Thread.sleep(50);
    }
  }

  /** Delivers an event once more: counts first what would be repeated, then has it repeated. */
  private static void replay(ApiClient client, String event, Delivery delivery) throws Exception {
    ReplaysApi api = new ReplaysApi(client);
    ReplayFilter filter = new ReplayFilter().eventId(event);
    ReplayStarted counted = api.createReplay(new ReplayRequest().filter(filter).dryRun(true));
    expect(counted.getCount() == 1, counted);
    String id = api.createReplay(new ReplayRequest().filter(filter)).getId();
    while (!api.getReplay(id).getState().equals("done")) {
      Thread.sleep(50);
    }
    APIListDeliveriesRequest made = APIListDeliveriesRequest.newBuilder().replayId(id).build();
    List<Delivery> again = new DeliveriesApi(client).listDeliveries(made).getItems();
    expect(again.get(0).getReplayOf().equals(delivery.getId()), again);
  }

  /** Holds a destination back, and lets it go on. */
  private static void pause(ApiClient client) throws Exception {
    DestinationsApi api = new DestinationsApi(client);
    expect(api.pauseDestination("archive").getPausedBy() != null, "archive is not held back");
    expect(api.resumeDestination("archive").getPausedBy() == null, "archive is held back");
  }

  /** Has the plugin of a destination do something beside delivering: tell what it has copies of. */
  private static void act(ApiClient client, String backup) throws Exception {
    deliver(client, backup);
    ActionDone done = new DestinationsApi(client).runDestinationAction("copies", "collections", null, Map.of());
    List<?> copies = (List<?>) done.getOutput().get("collections");
    expect(((Map<?, ?>) copies.get(0)).get("versions").equals(1), copies);
  }

  /** Everything that a gateway refuses is a problem with a status and a code. */
  private static void refuse(ApiClient client, ApiClient viewer, Delivery delivery) throws Exception {
    EventsApi events = new EventsApi(client);
    DestinationsApi destinations = new DestinationsApi(client);
    check(() -> allEvents(connect("nobody's key"), 2), 401, "unauthorized");
    check(() -> new DestinationsApi(viewer).pauseDestination("archive"), 403, "forbidden");
    check(() -> events.getEvent("nothing"), 404, "not_found");
    APIListEventsRequest madeUp = APIListEventsRequest.newBuilder().cursor("made-up").build();
    check(() -> events.listEvents(madeUp), 400, "invalid_parameter");
    check(() -> new DeliveriesApi(client).cancelDelivery(delivery.getId()), 409, "conflict");
    Map<String, Object> typo = Map.of("typo", 1);
    check(() -> destinations.runDestinationAction("copies", "collections", null, typo), 422, "invalid_input");
    // No operation has a wrong method, so this one is asked for without them.
    HttpRequest wrong = HttpRequest.newBuilder(URI.create(URL + "/api/v1/events")).DELETE().build();
    String answer = HttpClient.newHttpClient().send(wrong, BodyHandlers.ofString()).body();
    expect(JSON.readValue(answer, Problem.class).getCode().equals("method_not_allowed"), answer);
  }

  private interface Operation {
    Object run() throws Exception;
  }

  private static void check(Operation operation, int status, String code) throws Exception {
    try {
      throw new IllegalStateException("not refused: " + operation.run());
    } catch (ApiException refused) {
      Problem problem = JSON.readValue(refused.getResponseBody(), Problem.class);
      expect(refused.getCode() == status && problem.getCode().equals(code), problem);
    }
  }

  /** A gateway of tomorrow has words and fields that this program has never heard of. */
  private static void tomorrow(ApiClient client) throws Exception {
    Set<String> words = new HashSet<>();
    allEvents(client, 50).forEach(event -> words.add(event.getKind()));
    APIListDeliveriesRequest deliveries = APIListDeliveriesRequest.newBuilder().build();
    new DeliveriesApi(client).listDeliveries(deliveries).getItems().forEach(it -> words.add(it.getState()));
    APIListMonitorsRequest monitors = APIListMonitorsRequest.newBuilder().build();
    new MonitorsApi(client).listMonitors(monitors).getItems().forEach(it -> words.add(it.getPhase()));
    new DestinationsApi(client).listDestinations().getItems().forEach(it -> words.add(it.getGate()));
    expect(words.equals(Set.of("of_tomorrow")), words);
    check(() -> new EventsApi(client).getEvent("nothing"), 404, "of_tomorrow");
  }

  private static void expect(boolean holds, Object what) {
    if (!holds) {
      throw new IllegalStateException(String.valueOf(what));
    }
  }

  public static void main(String[] arguments) throws Exception {
    ApiClient client = connect(System.getenv("POSTROOM_KEY"));
    if (List.of(arguments).contains("tomorrow")) {
      tomorrow(client);
      return;
    }
    List<String> sent = receive(connect(System.getenv("POSTROOM_SOURCE_TOKEN")));
    look(client, sent);
    Delivery delivery = deliver(client, sent.get(0));
    replay(client, sent.get(0), delivery);
    pause(client);
    act(client, sent.get(3));
    refuse(client, connect(System.getenv("POSTROOM_VIEWER_KEY")), delivery);
  }
}
