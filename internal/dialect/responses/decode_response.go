package responses

import (
	"errors"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeResponse reads a whole answer. An error in the body of a 200 is returned
// as one.
func (responses) DecodeResponse(a *dialect.Answer) (*scri.ChatResponse, error) {
	if raw := failed(a.Body); raw != nil {
		e := dialect.OpenAIErrorIn(raw, Name)
		e.RetryAfter = dialect.RetryAfter(a.Header)
		return nil, e
	}
	d := newDecoder(a.Body)
	r, ok := d.response()
	if err := d.End(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	if !ok {
		return nil, dialect.Unreadable(errors.New("a response without output"))
	}
	return r, nil
}

// always are the members that every answer has, so that it is noted when one is
// absent.
var always = [...]string{"object", "created_at", "status", "incomplete_details", "usage", "error"}

// response reads a response, and reports whether it has an output.
func (d *decoder) response() (r *scri.ChatResponse, output bool) {
	d.answer = true
	h := head{said: map[string]bool{}}
	r = &h.r
	for name := range d.Members() {
		h.said[name] = true
		if name == "output" && d.Kind() == wire.Array {
			output = true
			d.items()
			continue
		}
		d.headMember(&h, name)
	}
	h.close(true)
	out := d.messages
	if len(out) == 0 {
		out = []scri.Message{{Role: scri.RoleAssistant}}
	}
	r.Choices = []scri.Choice{{Output: out, Finish: finish(h.word(), d.called), LogProbs: d.probs}}
	return r, output
}

// head is what a response says beside its output.
type head struct {
	r              scri.ChatResponse
	u              dialect.Unknown
	said           map[string]bool
	status, detail string
	why            []byte // the member incomplete_details
	counts         []byte // the member usage, if it is none
}

// headMember reads one member of a response.
func (d *decoder) headMember(h *head, name string) {
	switch name {
	case "id":
		d.said(&h.u, &h.r.ID)
	case "model":
		d.said(&h.u, &h.r.Model)
	case "object":
		if raw := d.Member(); dialect.Word(value(raw)) != "response" {
			h.u.Add(raw)
		}
	case "created_at":
		d.created(h)
	case "status":
		d.said(&h.u, &h.status)
	case "incomplete_details":
		if h.why = d.Member(); !isNull(value(h.why)) {
			h.detail = incomplete(value(h.why))
		}
	case "usage":
		if raw := d.Member(); !isNull(value(raw)) {
			if h.r.Usage = decodeUsage(value(raw)); h.r.Usage == nil {
				h.counts = raw
			}
		}
	case "error":
		if raw := d.Member(); !isNull(value(raw)) {
			h.u.Add(raw)
		}
	default:
		if isEcho(name) {
			slight(&h.u, name, d.Member())
		} else {
			h.u.Add(d.Member())
		}
	}
}

// isNull reports whether a raw value is null, or none at all.
func isNull(raw []byte) bool { return len(raw) == 0 || raw[0] == 'n' }

// created reads when the answer was made. What is no whole number of seconds is
// kept as it stands.
func (d *decoder) created(h *head) {
	raw := d.Member()
	s := wire.NewScanner(value(raw))
	if s.Kind() == wire.Number {
		n := s.Int()
		t, ok := dialect.Moment(n)
		if h.r.Created = t; s.Err() == nil && (ok || n == 0) { // 0 stands for none
			return
		}
		h.r.Created = time.Time{}
	}
	slight(&h.u, "created_at", raw)
}

// word is what Finish.Raw says.
func (h *head) word() string {
	if h.status == statusIncomplete && h.detail != "" {
		return h.detail
	}
	return h.status
}

// close makes the Ext of all that has no field.
func (h *head) close(whole bool) {
	if !isNull(value(h.why)) && (h.detail == "" || h.status != statusIncomplete) {
		h.u.Add(h.why)
	}
	if whole {
		h.u.Add(h.counts)
		for _, name := range always {
			if !h.said[name] {
				h.u.Form("-" + name)
			}
		}
	}
	if h.status != "" && !isStatus(h.status) {
		h.u.Form(formWord)
	}
	if h.r.Ext = h.u.Ext(Name); h.r.Ext == nil {
		h.r.Ext = &scri.Ext{Dialect: Name}
	}
}

// isEcho reports whether a member of a response repeats what was asked, or the
// default of it.
func isEcho(name string) bool {
	switch name {
	case "background", "completed_at", "instructions", "max_output_tokens", "max_tool_calls", "metadata",
		"parallel_tool_calls", "previous_response_id", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options",
		"reasoning", "safety_identifier", "service_tier", "store", "temperature", "text", "tool_choice", "tools",
		"top_logprobs", "top_p", "truncation", "user", "frequency_penalty", "presence_penalty", "billing", "prompt",
		"output_text", "conversation", "top_k", "tool_usage", "usage_estimated":
		return true
	default:
		return false
	}
}
