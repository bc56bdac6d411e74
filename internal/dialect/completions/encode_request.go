package completions

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// roomy is how long an answer may be where neither the request nor the target says,
// as the API would end it after some words.
const roomy = 4096

// EncodeRequest writes the request for the target.
func (completions) EncodeRequest(req *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	if t == nil {
		t = &dialect.Target{}
	}
	e := &requestEncoder{req: req, t: t}
	e.Own = Name
	t.Begin(&e.w, req)
	e.w.BeginObject()
	if model := t.Model; model != "" || req.Model != "" || formed(req.Ext, "model=") {
		if model == "" {
			model = req.Model
		}
		e.key("model")
		e.w.Str(model)
	}
	e.prompt()
	e.streaming()
	e.length()
	e.sampling()
	e.unsaid()
	e.others()
	e.w.EndObject()
	out := &dialect.Outgoing{
		Method: http.MethodPost, Path: path, Body: e.w.B, Pieces: e.w.Pieces(),
	}
	if req.Stream {
		out.Header = http.Header{"Accept": {"text/event-stream"}}
	}
	return out, e.Warn, nil
}

// requestEncoder writes one request.
type requestEncoder struct {
	dialect.Trail
	w    wire.Writer
	req  *scri.ChatRequest
	t    *dialect.Target
	said []string // members that are written
}

// others writes the members that only this dialect knows.
func (e *requestEncoder) others() {
	own := e.req.Ext.Of(Name)
	if own == nil {
		e.Foreign(e.req.Ext)
		return
	}
	s := wire.NewScanner(own.Members)
	if len(own.Members) == 0 {
		return
	}
	for name := range s.Members() {
		switch {
		case !slices.Contains(e.said, name):
			e.w.Raw(s.Member())
		case s.Kind() != wire.Null && name != "stream_options": // of which the rest was written
			e.Drop("ext/"+dialect.Escape(name), "it is said otherwise")
		}
	}
}

func (e *requestEncoder) key(name string) {
	e.w.Key(name)
	e.said = append(e.said, name)
}

// streaming writes stream and stream_options.
func (e *requestEncoder) streaming() {
	r := e.req
	if r.Stream || formed(r.Ext, "stream=false") {
		e.key("stream")
		e.w.Bool(r.Stream)
	}
	asked := formed(r.Ext, "usage")
	add := e.t.WantUsage && r.Stream && !asked
	if add {
		e.Tell(scri.WarnAdded, "stream_options/include_usage", "", "", "so that the tokens can be counted")
	}
	denied := formed(r.Ext, "usage=false") && !add
	rest := formed(r.Ext, "+stream_options")
	if !asked && !add && !denied && !rest && !formed(r.Ext, "stream_options") {
		return
	}
	e.key("stream_options")
	e.w.BeginObject()
	if asked || add || denied {
		e.w.Key("include_usage")
		e.w.Bool(!denied)
	}
	if raw := dialect.Member(r.Ext, Name, "stream_options"); rest && raw != nil {
		s := wire.NewScanner(raw)
		for name := range s.Members() {
			if m := s.Member(); name != "include_usage" || !asked && !add && !denied {
				e.w.Raw(m)
			}
		}
	}
	e.w.EndObject()
}

// length writes how long the answer may be.
func (e *requestEncoder) length() {
	n := e.req.MaxTokens
	switch {
	case n == nil:
		n = new(int64(roomy))
		if e.t.MaxOutput > 0 {
			*n = e.t.MaxOutput
		}
		e.Tell(scri.WarnAdded, "max_tokens", "", strconv.FormatInt(*n, 10), "the API would end the answer after some words")
	case *n == DefaultMaxTokens && formed(e.req.Ext, "-max_tokens"):
		return
	}
	e.key("max_tokens")
	e.w.Int(*n)
}

func (e *requestEncoder) sampling() {
	r := e.req
	if !r.Suffix.IsZero() || formed(r.Ext, "suffix=") {
		e.key("suffix")
		dialect.WriteText(&e.w, r.Suffix)
	}
	e.float("temperature", r.Temperature)
	e.float("top_p", r.TopP)
	e.float("frequency_penalty", r.FrequencyPenalty)
	e.float("presence_penalty", r.PresencePenalty)
	if r.TopK != nil {
		e.key("top_k")
		e.w.Int(*r.TopK)
	}
	if len(r.Seed) > 0 {
		e.key("seed")
		e.w.Raw(r.Seed)
	}
	if r.N > 0 {
		e.key("n")
		e.w.Int(int64(r.N))
	}
	switch {
	case len(r.Stop) == 1 && formed(r.Ext, "stop"):
		e.key("stop")
		e.w.Str(r.Stop[0])
	case len(r.Stop) > 0 || formed(r.Ext, "stop[]"):
		e.key("stop")
		e.w.BeginArray()
		for _, s := range r.Stop {
			e.w.Str(s)
		}
		e.w.EndArray()
	}
	switch {
	case r.LogProbs != nil:
		e.key("logprobs")
		e.w.Int(int64(max(*r.LogProbs, 0)))
		if *r.LogProbs < 0 {
			e.Tell(scri.WarnChanged, "logprobs", strconv.Itoa(*r.LogProbs), "0", "a number of alternatives is at least 0 here")
		}
	case e.t.LogProbs:
		e.Tell(scri.WarnAdded, "logprobs", "", "0", "asked for to judge the answer")
		e.key("logprobs")
		e.w.Int(0)
	}
	for _, echo := range [...]bool{true, false} {
		if formed(r.Ext, "echo") && echo || formed(r.Ext, "echo=false") && !echo {
			e.key("echo")
			e.w.Bool(echo)
		}
	}
	if r.User != "" || formed(r.Ext, "user=") {
		e.key("user")
		e.w.Str(r.User)
	}
}

func (e *requestEncoder) float(key string, v *float64) {
	if v != nil {
		e.key(key)
		e.w.Float(*v)
	}
}

// unsaid reports what a request may hold that has no place here.
func (e *requestEncoder) unsaid() {
	r := e.req
	in := e.In("tools")
	for i := range r.Tools {
		at := e.At(i)
		e.Drop("", "nothing can be called here")
		e.Out(at)
	}
	e.Out(in)
	for _, f := range []struct {
		there bool
		name  string
	}{
		{r.ToolChoice != nil, "tool_choice"},
		{r.ParallelTools != nil, "parallel_tools"},
		{r.Reasoning != nil, "reasoning"},
		{r.Format != nil && r.Format.Kind != scri.FormatText, "format"},
		{len(r.Metadata) > 0, "metadata"},
		{r.Session != "", "session"},
		{r.PreviousID != "", "previous_id"},
		{r.Routing != nil, "routing"},
	} {
		if f.there {
			e.Drop(f.name, "there is no such field here")
		}
	}
	if r.Format != nil && r.Format.Kind == scri.FormatText {
		e.Tell(scri.WarnEmulated, "format", "", "", "a text is what there is anyway")
	}
}
