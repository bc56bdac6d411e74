package ollama

import (
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeResponse reads a whole answer of /api/chat or /api/generate.
func (ollama) DecodeResponse(ans *dialect.Answer) (*scri.ChatResponse, error) {
	s := wire.NewScanner(ans.Body)
	var a answer
	ids := dialect.CallIDs{Prefix: idsOf(peekString(s, "created_at"))}
	if err := a.read(s, true, &ids); err != nil {
		return nil, dialect.Unreadable(err)
	}
	if a.err != nil && a.saw&(sawMessage|sawResponse) == 0 {
		return nil, failure(ans.Status, ans.Header, ans.Body)
	}
	return a.response(), nil
}

func peekString(s *wire.Scanner, name string) string {
	if s.Kind() != wire.Object {
		return ""
	}
	return dialect.Word(s.Peek(name))
}

func (a *answer) response() *scri.ChatResponse {
	r := &scri.ChatResponse{Model: a.model, Usage: a.usage()}
	u := &a.rest
	if a.err != nil { // beside an answer it is but a member
		addRaw(u, "error", a.err)
	}
	a.head(r, u)
	addMembers(u, a.remote.Object())
	msg := a.message()
	if a.saw&sawTokens != 0 && len(a.logprobs) == 0 {
		u.Form("+logprobs")
	}
	ch := scri.Choice{Output: []scri.Message{msg}, LogProbs: a.logprobs}
	switch {
	case a.saw&sawDone == 0:
		u.Form("-done")
	case !a.done:
		u.Form("done=false")
	}
	switch {
	case a.saw&sawReason == 0:
		u.Form("-done_reason")
	case a.reason == "":
		u.Form("+done_reason")
	}
	if a.done || a.saw&sawReason != 0 {
		ch.Finish = a.finish(len(a.msg.calls) > 0)
	}
	r.Choices = []scri.Choice{ch}
	r.Ext = u.Ext(Name)
	return r
}

// head reads the members that each line of a stream repeats.
func (a *answer) head(r *scri.ChatResponse, u *dialect.Unknown) {
	if a.saw&sawModel == 0 {
		u.Form("-model")
	}
	switch t, spelling, ok := a.time(); {
	case a.saw&sawCreated == 0:
		u.Form("-created_at")
	case !ok:
		addRaw(u, "created_at", wire.AppendQuote(nil, a.created))
	default:
		r.Created = t
		if spelling != "" {
			u.Form("created_at=" + spelling)
		}
	}
	if a.saw&sawResponse != 0 {
		u.Form(VariantGenerate)
	}
}

func (a *answer) message() scri.Message {
	m := &a.msg
	switch {
	case a.saw&sawMessage == 0:
		if a.saw&sawResponse == 0 {
			a.rest.Form("-message")
		}
		m.role = string(scri.RoleAssistant)
	case m.seen&sawRole == 0:
		m.rest.Form("-role")
		m.role = string(scri.RoleAssistant)
	case m.role == "":
		m.rest.Form("+role")
		m.role = string(scri.RoleAssistant)
	}
	return m.message()
}

func addRaw(u *dialect.Unknown, name string, raw []byte) {
	m := append(wire.AppendQuote(nil, name), ':')
	u.Add(append(m, raw...))
}

// timeText is how an answer's time is written.
func timeText(t time.Time, e *scri.Ext) string {
	if t.IsZero() {
		return epoch
	}
	if v, ok := spelled(e, "created_at"); ok {
		if o, err := time.ParseInLocation(time.RFC3339Nano, v, time.UTC); err == nil && o.Equal(t) {
			return v
		}
	}
	return t.Format(time.RFC3339Nano)
}
