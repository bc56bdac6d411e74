package responses

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

func decoded(t *testing.T, body string) *scri.ChatRequest {
	t.Helper()
	r, err := (responses{}).DecodeRequest(&dialect.Incoming{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What a request says about its answer.
func TestKeep(t *testing.T) {
	for body, want := range map[string]*scri.Keeping{
		`{"input":"hi"}`:                              {ID: "resp_aratta_1", Store: true},
		`{"input":"hi","store":null}`:                 {ID: "resp_aratta_1", Store: true},
		`{"input":"hi","store":false}`:                {ID: "resp_aratta_1"},
		`{"input":"hi","instructions":"be brief"}`:    {ID: "resp_aratta_1", Store: true, Aside: 1},
		`{"input":[{"role":"system","content":"x"}]}`: {ID: "resp_aratta_1", Store: true},
		`{"input":"hi","background":false}`:           {ID: "resp_aratta_1", Store: true},
	} {
		got, err := (responses{}).Keep(&dialect.Incoming{Req: decoded(t, body)}, "req_1")
		if err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%s: %+v %v", body, got, err)
		}
	}
	_, err := (responses{}).Keep(&dialect.Incoming{Req: decoded(t, `{"input":"hi","background":true}`)}, "req_1")
	if e := scri.AsError(err); err == nil || e.Path != "/background" {
		t.Errorf("%v", err)
	}
}

// The items of a list have what a client may have left out, keep what it said, and
// come in pages.
func TestInputItems(t *testing.T) {
	r := decoded(t, `{"instructions":"no item","input":[
		{"role":"user","content":"hi"},
		{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}]},
		{"role":"assistant","content":"hello"},
		{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
		{"type":"function_call_output","call_id":"c","output":"done"},
		{"type":"message","id":"msg_mine","role":"user","content":[{"type":"input_text","text":"and?"}]}]}`)
	k := &dialect.Kept{
		Request: r, Response: &scri.ChatResponse{ID: "resp_aratta_1"}, Input: func() []scri.Message { return r.Messages[1:] },
	}
	want := []string{
		`{"id":"msg_aratta_1_in_0","type":"message","status":"completed","role":"user","content":[{"type":"input_text","text":"hi"}]}`,
		`{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]}`,
		`{"id":"msg_aratta_1_in_2","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"text":"hello"}]}`,
		`{"id":"fc_aratta_1_in_3","type":"function_call","call_id":"c","name":"f","arguments":"{}","status":"completed"}`,
		`{"id":"fco_aratta_1_in_4","type":"function_call_output","status":"completed","call_id":"c","output":"done"}`,
		`{"id":"msg_mine","type":"message","status":"completed","role":"user","content":[{"type":"input_text","text":"and?"}]}`,
	}
	read := func(query string) (items []string, more bool, last string) {
		t.Helper()
		q, _ := url.ParseQuery(query)
		in := &dialect.Incoming{Route: dialect.Route{Variant: keptInput}, Query: q, Param: func(string) string { return "resp_aratta_1" }}
		b, err := (responses{}).EncodeKept(in, k)
		if err != nil {
			t.Fatal(err)
		}
		var list struct {
			Data    []json.RawMessage `json:"data"`
			LastID  string            `json:"last_id"`
			HasMore bool              `json:"has_more"`
		}
		if err := json.Unmarshal(b, &list); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		for _, it := range list.Data {
			items = append(items, string(it))
		}
		return items, list.HasMore, list.LastID
	}
	all, more, _ := read("order=asc")
	if d := cmp.Diff(want, all); d != "" || more {
		t.Errorf("more %v: %s", more, d)
	}
	newest, _, _ := read("limit=1")
	if d := cmp.Diff(want[5:], newest); d != "" {
		t.Errorf("the newest comes first: %s", d)
	}
	var paged []string
	for query := "order=asc&limit=4"; ; {
		items, more, last := read(query)
		if paged = append(paged, items...); !more {
			break
		}
		query = "order=asc&limit=4&after=" + last
	}
	if d := cmp.Diff(want, paged); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"limit=0", "limit=x", "order=up", "after=nobody"} {
		q, _ := url.ParseQuery(bad)
		in := &dialect.Incoming{Route: dialect.Route{Variant: keptInput}, Query: q, Param: func(string) string { return "" }}
		_, err := (responses{}).EncodeKept(in, k)
		if e := scri.AsError(err); err == nil || !strings.HasPrefix(bad, e.Path[1:]) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// An answer tells what it goes on from, also where its provider was given the
// whole conversation in place of an id, and knows of none.
func TestPreviousIsTold(t *testing.T) {
	const id = `"previous_response_id":"resp_aratta_1"`
	in := &dialect.Incoming{Req: decoded(t, `{"input":"go on","previous_response_id":"resp_aratta_1"}`)}
	for name, said := range map[string]string{
		"null": `,"previous_response_id":null`, "nothing": "", "the same": "," + id,
	} {
		t.Run(name, func(t *testing.T) {
			body := func(output, status string) string {
				return `{"id":"resp_2","object":"response","created_at":1,"status":"` + status + `","model":"m","output":[` + output + `]` + said + `}`
			}
			const item = `{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"hi","annotations":[]}]}`
			r, err := (responses{}).DecodeResponse(&dialect.Answer{Status: 200, Body: []byte(body(item, "completed"))})
			if err != nil {
				t.Fatal(err)
			}
			got, _ := (responses{}).EncodeResponse(nil, in, r)
			if strings.Count(string(got), id) != 1 || strings.Count(string(got), "previous_response_id") != 1 {
				t.Errorf("the whole answer: %s", got)
			}
			alone, _ := (responses{}).EncodeResponse(nil, nil, r)
			if said == "" && strings.Contains(string(alone), "previous_response_id") {
				t.Errorf("an answer that goes on from nothing: %s", alone)
			}

			stream := ""
			for _, e := range [][2]string{{"response.created", body("", "in_progress")}, {"response.completed", body(item, "completed")}} {
				stream += "event: " + e[0] + "\ndata: {\"type\":\"" + e[0] + `","response":` + e[1] + "}\n\n"
			}
			d := (responses{}).DecodeStream(&dialect.Answer{Status: 200, Stream: strings.NewReader(stream), MaxFrame: 1 << 20})
			enc := (responses{}).EncodeStream(in)
			var out []byte
			for {
				e, err := d.Next()
				if err != nil {
					if !scri.Ended(err) {
						t.Fatal(err)
					}
					break
				}
				out = enc.Event(out, e)
			}
			out = enc.End(out, nil)
			objects := strings.Count(string(out), `"response":{`)
			if n := strings.Count(string(out), id); objects != 3 || n != objects || strings.Count(string(out), "previous_response_id") != n {
				t.Errorf("%d of %d objects tell: %s", n, objects, out)
			}
		})
	}
}
