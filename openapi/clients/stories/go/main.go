// What a program does with a gateway, from a webhook to its replay; the same in every language of docs/clients.md.
//
// It takes the gateway and its keys from the environment, and expects a source `postman`, a destination `archive` and a
// destination `copies` that runs the plugin `backup`.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"reflect"
	"time"

	"story/postroom"
)

var (
	url = os.Getenv("POSTROOM_URL")
	now = context.Background()
)

func connect(key string) *postroom.APIClient {
	configuration := postroom.NewConfiguration()
	configuration.Servers = postroom.ServerConfigurations{{URL: url}}
	configuration.AddDefaultHeader("Authorization", "Bearer "+key)
	return postroom.NewAPIClient(configuration)
}

// done gives what an operation gives, if it was not refused.
func done[T any](value T, _ *http.Response, err error) T {
	expect(err == nil, "refused", err)
	return value
}

func expect(holds bool, what ...any) {
	if !holds {
		log.Panic(what...)
	}
}

// receive sends what Postman would send, and gives the ids of the events. The client has the source's token as its key.
func receive(postman *postroom.APIClient) (sent []string) {
	for number := int64(1); number <= 3; number++ {
		metrics := postroom.NewMonitorRunMetrics()
		metrics.SetFailedTests(0)
		metrics.SetRequestCount(number)
		run := postroom.NewMonitorRunResult(*metrics)
		run.SetMonitorUid("story-monitor")
		run.SetMonitorName("Checkout")
		accepted := done(postman.HooksAPI.ReceiveHook(now, "postman").PostmanWebhook(run).Execute())
		expect(accepted.Kind == "monitor_run", accepted.Kind)
		sent = append(sent, accepted.EventId)
	}
	info := map[string]any{"_postman_id": "story-collection", "name": "Orders"}
	backup := postroom.NewCollectionBackup(map[string]any{"info": info, "item": []any{}})
	accepted := done(postman.HooksAPI.ReceiveHook(now, "postman").PostmanWebhook(backup).Execute())
	return append(sent, accepted.EventId)
}

// allEvents gives every event, newest first, and asks for a page at a time.
func allEvents(client *postroom.APIClient, limit int64) (events []postroom.Event) {
	list := client.EventsAPI.ListEvents(now).Limit(limit)
	for {
		page := done(list.Execute())
		events = append(events, page.Items...)
		if !page.HasNextCursor() {
			return events
		}
		list = list.Cursor(page.GetNextCursor())
	}
}

// look reads every event, two to a page, and then the body of the first one.
func look(client *postroom.APIClient, sent []string) {
	events := allEvents(client, 2)
	expect(len(events) == len(sent), len(events))
	for at, event := range events {
		expect(event.Id == sent[len(sent)-1-at], event.Id)
	}
	runs := done(client.EventsAPI.ListEvents(now).Kind("monitor_run").Subject("story-monitor").Execute())
	expect(len(runs.Items) == 3, len(runs.Items))

	event := done(client.EventsAPI.GetEvent(now, sent[0]).Execute())
	file := done(client.EventsAPI.DownloadEventBody(now, sent[0]).Execute())
	defer os.Remove(file.Name())
	body, err := io.ReadAll(file)
	expect(err == nil && int64(len(body)) == event.BodyBytes, err, len(body))
	var run postroom.MonitorRunResult
	expect(json.Unmarshal(body, &run) == nil && run.GetMonitorName() == "Checkout", string(body))
}

// deliver tells what became of an event, as soon as it is delivered.
func deliver(client *postroom.APIClient, event string) *postroom.Delivery {
	for {
		list := client.DeliveriesAPI.ListDeliveries(now).EventId(event).State("delivered")
		if delivered := done(list.Execute()).Items; len(delivered) > 0 {
			delivery := done(client.DeliveriesAPI.GetDelivery(now, delivered[0].Id).Execute())
			expect(len(delivery.Attempts) == 1 && delivery.Attempts[0].Outcome == "delivered", delivery.Attempts)
			return delivery
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// replay delivers an event once more: it counts first what would be repeated, then has it repeated.
func replay(client *postroom.APIClient, event string, delivery *postroom.Delivery) {
	filter := postroom.NewReplayFilter()
	filter.SetEventId(event)
	request := postroom.NewReplayRequest(*filter)
	request.SetDryRun(true)
	counted := done(client.ReplaysAPI.CreateReplay(now).ReplayRequest(*request).Execute())
	expect(counted.Count == 1, counted.Count)
	request.SetDryRun(false)
	started := done(client.ReplaysAPI.CreateReplay(now).ReplayRequest(*request).Execute())
	for done(client.ReplaysAPI.GetReplay(now, started.GetId()).Execute()).State != "done" {
		time.Sleep(50 * time.Millisecond)
	}
	again := done(client.DeliveriesAPI.ListDeliveries(now).ReplayId(started.GetId()).Execute())
	expect(again.Items[0].GetReplayOf() == delivery.Id, again.Items[0].GetReplayOf())
}

// pause holds a destination back, and lets it go on.
func pause(client *postroom.APIClient) {
	expect(done(client.DestinationsAPI.PauseDestination(now, "archive").Execute()).HasPausedBy())
	expect(!done(client.DestinationsAPI.ResumeDestination(now, "archive").Execute()).HasPausedBy())
}

func collections(client *postroom.APIClient, input map[string]any) (*postroom.ActionDone, *http.Response, error) {
	action := client.DestinationsAPI.RunDestinationAction(now, "copies", "collections")
	return action.RequestBody(input).Execute()
}

// act has the plugin of a destination do something beside delivering: tell what it has copies of.
func act(client *postroom.APIClient, backup string) {
	deliver(client, backup)
	copies := done(collections(client, map[string]any{})).Output["collections"].([]any)
	versions := copies[0].(map[string]any)["versions"]
	expect(versions == 1.0, versions)
}

// refuse shows that everything that a gateway refuses is a problem with a status and a code.
func refuse(client, viewer *postroom.APIClient, delivery *postroom.Delivery) {
	check(401, "unauthorized")(connect("nobody's key").EventsAPI.ListEvents(now).Execute())
	check(403, "forbidden")(viewer.DestinationsAPI.PauseDestination(now, "archive").Execute())
	check(404, "not_found")(client.EventsAPI.GetEvent(now, "nothing").Execute())
	check(400, "invalid_parameter")(client.EventsAPI.ListEvents(now).Cursor("made-up").Execute())
	check(409, "conflict")(client.DeliveriesAPI.CancelDelivery(now, delivery.Id).Execute())
	check(422, "invalid_input")(collections(client, map[string]any{"typo": 1}))
	// No operation has a wrong method, so this one is asked for without them.
	request, err := http.NewRequest(http.MethodDelete, url+"/api/v1/events", nil)
	expect(err == nil, err)
	answer, err := http.DefaultClient.Do(request)
	expect(err == nil, err)
	defer answer.Body.Close()
	var problem postroom.Problem
	expect(json.NewDecoder(answer.Body).Decode(&problem) == nil && problem.Code == "method_not_allowed", problem)
}

// check takes what an operation gives, and expects a problem.
func check(status int32, code string) func(any, *http.Response, error) {
	return func(_ any, _ *http.Response, err error) {
		var refused *postroom.GenericOpenAPIError
		expect(errors.As(err, &refused), err)
		problem, is := refused.Model().(postroom.Problem)
		expect(is && problem.Status == status && problem.Code == code, err)
	}
}

// tomorrow reads from a gateway of tomorrow, which has words and fields that this program has never heard of.
func tomorrow(client *postroom.APIClient) {
	words := map[string]bool{}
	for _, event := range allEvents(client, 50) {
		words[event.Kind] = true
	}
	for _, delivery := range done(client.DeliveriesAPI.ListDeliveries(now).Execute()).Items {
		words[delivery.State] = true
	}
	for _, monitor := range done(client.MonitorsAPI.ListMonitors(now).Execute()).Items {
		words[monitor.Phase] = true
	}
	for _, destination := range done(client.DestinationsAPI.ListDestinations(now).Execute()).Items {
		words[destination.Gate] = true
	}
	expect(reflect.DeepEqual(words, map[string]bool{"of_tomorrow": true}), words)
	check(404, "of_tomorrow")(client.EventsAPI.GetEvent(now, "nothing").Execute())
}

func main() {
	client := connect(os.Getenv("POSTROOM_KEY"))
	if len(os.Args) > 1 && os.Args[1] == "tomorrow" {
		tomorrow(client)
		return
	}
	sent := receive(connect(os.Getenv("POSTROOM_SOURCE_TOKEN")))
	look(client, sent)
	delivery := deliver(client, sent[0])
	replay(client, sent[0], delivery)
	pause(client)
	act(client, sent[3])
	refuse(client, connect(os.Getenv("POSTROOM_VIEWER_KEY")), delivery)
}
