package ollama

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// answer is one wire object of an answer as it was read: a whole answer, or a
// line of a stream. It is reused from line to line.
type answer struct {
	model, created string
	msg            message
	remote         dialect.Unknown // remote_model and remote_host, which each line repeats
	rest           dialect.Unknown
	logprobs       []scri.TokenLogProb
	reason         string
	input, output  *int64
	metrics        dialect.Unknown  // the counts and durations, as they stand
	odd            *dialect.Unknown // where what does not fit goes; nil: to the rest
	err            []byte           // raw value of the member error
	done           bool
	saw            uint16
}

const (
	sawModel = 1 << iota
	sawCreated
	sawMessage
	sawResponse
	sawDone
	sawReason
	sawTokens // of the thoughts' and texts' log-probabilities
)

func (a *answer) reset() {
	a.msg.reset()
	*a = answer{msg: a.msg, logprobs: a.logprobs[:0]}
}

// read reads an object. nulls says whether members with a null are kept.
// A member that does not fit its shape is taken along unread.
func (a *answer) read(s *wire.Scanner, nulls bool, ids *dialect.CallIDs) error {
	for name := range s.Members() {
		if s.Kind() == wire.Null {
			if nulls {
				a.rest.Add(s.Member())
			}
			continue
		}
		at, saw := s.Mark(), a.saw
		a.member(s, name, nulls, ids)
		if s.Err() != nil && dialect.Misfit(s.Err()) {
			s.Rewind(at)
			a.saw = saw
			a.misfit(name)
			if a.odd != nil {
				a.odd.Add(s.Member())
			} else {
				a.rest.Add(s.Member())
			}
		}
	}
	return s.End()
}

// misfit forgets what was read of a member before it turned out not to fit.
func (a *answer) misfit(name string) {
	switch name {
	case "message":
		a.msg.reset()
	case "response":
		a.msg.seen &^= sawContent
	case "tool_calls":
		a.msg.calls = a.msg.calls[:0]
	case "logprobs":
		a.logprobs = a.logprobs[:0]
	default:
	}
}

func (a *answer) member(s *wire.Scanner, name string, nulls bool, ids *dialect.CallIDs) {
	switch name {
	case "model":
		a.model = s.Unquoted()
		a.saw |= sawModel
	case "created_at":
		a.created = s.Unquoted()
		a.saw |= sawCreated
	case "message":
		a.saw |= sawMessage
		a.msg.read(s, nulls, false, ids)
	case "response":
		a.saw |= sawResponse
		a.msg.content = scri.QuotedText(s.Str())
		a.msg.seen |= sawContent
	case "thinking":
		a.msg.thinking = scri.QuotedText(s.Str())
		if a.msg.thinking.IsZero() && s.Err() == nil {
			a.msg.rest.Form("+thinking")
		}
	case "tool_calls":
		a.msg.readCalls(s, ids)
	case "done":
		a.done = s.Bool()
		a.saw |= sawDone
	case "done_reason":
		a.reason = s.Unquoted()
		a.saw |= sawReason
	case "logprobs":
		a.readLogProbs(s)
	case "remote_model", "remote_host":
		a.remote.Add(s.Member())
	case "error":
		a.err = s.Raw()
	default:
		if name == inputCount || name == outputCount || duration(name) {
			a.metric(s, name)
		} else {
			a.rest.Add(s.Member())
		}
	}
}

// The counts that Ollama ends an answer with.
const (
	inputCount  = "prompt_eval_count"
	outputCount = "eval_count"
)

// metric reads one of the numbers that Ollama ends an answer with.
func (a *answer) metric(s *wire.Scanner, name string) {
	at := s.Mark()
	n := s.Int()
	switch {
	case s.Err() != nil:
		return
	case n < 0:
		s.Fail("a count is not below zero")
		return
	case name == inputCount:
		a.input = &n
	case name == outputCount:
		a.output = &n
	}
	s.Rewind(at)
	a.metrics.Add(s.Member())
}

// duration reports whether a member is one of the times that Ollama tells
// beside its counts.
func duration(name string) bool {
	switch name {
	case "total_duration", "load_duration", "prompt_eval_duration", "eval_duration":
		return true
	default:
		return false
	}
}

func (a *answer) readLogProbs(s *wire.Scanner) {
	a.saw |= sawTokens
	for range s.Elements() {
		a.logprobs = append(a.logprobs, readToken(s, true))
	}
}

func readToken(s *wire.Scanner, top bool) scri.TokenLogProb {
	var t scri.TokenLogProb
	var u dialect.Unknown
	told := 0
	for name := range s.Members() {
		switch {
		case s.Kind() == wire.Null:
			u.Add(s.Member())
		case name == "token":
			t.Token = scri.QuotedText(s.Str())
			told++
		case name == "logprob":
			t.LogProb = s.Float()
			told++
		case name == "bytes":
			t.Bytes = readBytes(s, &u)
		case name == "top_logprobs" && top:
			n := 0
			for range s.Elements() {
				n++
				t.Top = append(t.Top, readToken(s, false))
			}
			if n == 0 {
				u.Form("+top")
			}
		default:
			u.Add(s.Member())
		}
	}
	if told < 2 {
		s.Fail("a token and its logprob belong together")
	}
	t.Ext = u.Ext(Name)
	return t
}

func readBytes(s *wire.Scanner, u *dialect.Unknown) []int {
	var list []int
	for range s.Elements() {
		list = append(list, int(s.Int()))
	}
	if len(list) == 0 {
		u.Form("+bytes")
	}
	return list
}

// epoch is what stands for the time of an answer that has none.
const epoch = "1970-01-01T00:00:00Z"

// time returns when the answer was made, and its spelling where that is not the
// usual one.
func (a *answer) time() (t time.Time, spelling string, ok bool) {
	if a.saw&sawCreated == 0 || a.created == epoch {
		return time.Time{}, "", true
	}
	t, err := time.ParseInLocation(time.RFC3339Nano, a.created, time.UTC)
	if err != nil || t.IsZero() {
		return time.Time{}, "", false
	}
	if t.Format(time.RFC3339Nano) != a.created {
		return t, a.created, !strings.ContainsAny(a.created, " \t\r\n")
	}
	return t, "", true
}

// finish tells how the answer ended. Ollama says stop when the model called
// tools, too.
func (a *answer) finish(calls bool) scri.Finish {
	return scri.Finish{Reason: reasonOf(a.reason, calls), Raw: a.reason, Dialect: Name}
}

func reasonOf(word string, calls bool) scri.FinishReason {
	switch word {
	case "stop", "":
		if calls {
			return scri.FinishToolCalls
		}
		return scri.FinishStop
	case "length":
		return scri.FinishLength
	default: // load, unload and what is to come
		return scri.FinishOther
	}
}

// usage is what the answer took. Times without counts are mere members.
func (a *answer) usage() *scri.Usage {
	if a.input == nil && a.output == nil {
		addMembers(&a.rest, a.metrics.Object())
		return nil
	}
	return &scri.Usage{Input: a.input, Output: a.output, Raw: a.metrics.Object(), Dialect: Name}
}

// idsOf makes ids for the calls of an answer. An answer made at another time has
// others, so that those of one conversation do not meet.
func idsOf(created string) string {
	if created == "" {
		return "call_"
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(created)) // never fails
	return "call_" + strconv.FormatUint(h.Sum64(), 36) + "_"
}
