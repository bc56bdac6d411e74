package sim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// simulated marks the answers that have no place for words.
const simulated = "X-Simulated"

// passages adds the paths that a gateway passes on, as far as a provider of this
// dialect has them.
func (s *Sim) passages() {
	mine := func(p dialect.Passage) bool {
		return s.Dialect() == "native" || slices.Contains(p.Takers, s.Dialect()) || p.Op == scri.OpFiles && s.Dialect() == "anthropic"
	}
	for _, p := range dialect.Passages() {
		if mine(p) {
			s.mux.HandleFunc(p.Method+" "+p.Pattern, func(w http.ResponseWriter, r *http.Request) { s.passed(w, r, p) })
		}
	}
}

// asked is a request that was passed on.
type asked struct {
	fields map[string]any // of the JSON body, or of the form
	file   []byte
	name   string // of the file
}

func (a *asked) str(name string) string { v, _ := a.fields[name].(string); return v }

// passed answers one of them.
func (s *Sim) passed(w http.ResponseWriter, r *http.Request, p dialect.Passage) {
	limit := s.opt.MaxBody
	if limit == 0 {
		limit = maxBody
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		s.refuse(w, http.StatusRequestEntityTooLarge, &scri.Error{Kind: scri.ErrInvalid, Message: "the request is too large for a simulated provider"})
		return
	}
	if err != nil {
		return // the client went away
	}
	s.mu.Lock()
	s.served++
	s.last = &Seen{Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header.Clone(), Body: body}
	s.mu.Unlock()
	f := s.take()
	if !s.before(w, r, f) {
		return
	}
	a, err := readAsked(r, body)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, &scri.Error{Kind: scri.ErrInvalid, Message: err.Error()})
		return
	}
	if model := a.str("model"); model != "" && !s.has(model) {
		s.refuse(w, http.StatusNotFound, &scri.Error{Kind: scri.ErrNotFound, Code: "model_not_found", Path: "/model", Message: "model \"" + model + "\" not found"})
		return
	}
	out := s.tampered(w, r, f)
	out.Header().Set(simulated, s.opt.Name)
	switch p.Op {
	case scri.OpAudio:
		s.audio(out, p, a)
	case scri.OpImages:
		s.images(out, a)
	case scri.OpModerations:
		moderate(out, a)
	case scri.OpRerank:
		rerank(out, p, a)
	case scri.OpFiles:
		s.files.serve(s, out, r, p, a)
	default:
		s.batches(out, r, p, a)
	}
}

func readAsked(r *http.Request, body []byte) (*asked, error) {
	a := &asked{fields: map[string]any{}}
	t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case len(body) == 0:
		return a, nil
	case t != "multipart/form-data":
		if err := json.Unmarshal(body, &a.fields); err != nil {
			return nil, errors.New("the body is no JSON object")
		}
		return a, nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := r.ParseMultipartForm(maxBody); err != nil {
		return nil, fmt.Errorf("the form cannot be read: %w", err)
	}
	for name, v := range r.MultipartForm.Value {
		a.fields[name] = v[0]
	}
	for _, list := range r.MultipartForm.File {
		f, err := list[0].Open()
		if err != nil {
			return nil, err
		}
		a.name = list[0].Filename
		if a.file, err = io.ReadAll(f); err != nil {
			return nil, err
		}
		f.Close()
	}
	return a, nil
}

// event writes one event of a stream and sends it.
func event(w http.ResponseWriter, v map[string]any) {
	b, err := json.Marshal(v)
	if err != nil {
		return
	}
	fmt.Fprintf(w, "event: %s\ndata: %s\n\n", v["type"], b)
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}

// streams begins a stream of events if the request wants one.
func streams(w http.ResponseWriter, v any) bool {
	if v != true && v != "true" && v != "sse" {
		return false
	}
	w.Header().Set("Content-Type", "text/event-stream")
	return true
}

func counts(in, out int64) map[string]any {
	return map[string]any{"type": "tokens", "input_tokens": in, "output_tokens": out, "total_tokens": in + out}
}

func (s *Sim) audio(w http.ResponseWriter, p dialect.Passage, a *asked) {
	if strings.HasSuffix(p.Pattern, "/speech") {
		speech(w, a)
		return
	}
	if a.file == nil {
		s.refuse(w, http.StatusBadRequest, &scri.Error{Kind: scri.ErrInvalid, Path: "/file", Message: "a file is missing"})
		return
	}
	text := fmt.Sprintf("This is a simulated transcript by %s of %s (%d bytes).", s.opt.Name, a.name, len(a.file))
	usage := counts(int64(len(a.file)/100+1), words(text))
	if streams(w, a.fields["stream"]) {
		for rest := text; rest != ""; {
			var word string
			word, rest = cutWord(rest)
			event(w, map[string]any{"type": "transcript.text.delta", "delta": word})
		}
		event(w, map[string]any{"type": "transcript.text.done", "text": text, "usage": usage})
		return
	}
	switch a.str("response_format") {
	case "text", "srt", "vtt":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, text+"\n")
	case "verbose_json":
		reply(w, http.StatusOK, map[string]any{
			"task": "transcribe", "language": "english", "duration": 1, "text": text, "usage": usage,
			"segments": []map[string]any{{"id": 0, "start": 0, "end": 1, "text": text}},
		})
	default:
		reply(w, http.StatusOK, map[string]any{"text": text, "usage": usage})
	}
}

// speech says nothing, for a tenth of a second a word.
func speech(w http.ResponseWriter, a *asked) {
	sound := silence(int(words(a.str("input"))))
	if streams(w, a.fields["stream_format"]) {
		event(w, map[string]any{"type": "speech.audio.delta", "audio": base64.StdEncoding.EncodeToString(sound)})
		event(w, map[string]any{"type": "speech.audio.done", "usage": counts(words(a.str("input")), 1)})
		return
	}
	w.Header().Set("Content-Type", "audio/wav")
	_, _ = w.Write(sound)
}

// silence is a sound in WAV form: 8 kHz, 8 bit, one channel.
func silence(tenths int) []byte {
	n := max(tenths, 1) * 800
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data")
	b = append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	b = append(b, bytes.Repeat([]byte{0x80}, n)...)
	size := len(b) - 8
	copy(b[4:], []byte{byte(size), byte(size >> 8), byte(size >> 16), byte(size >> 24)})
	return b
}

// pixel is a PNG of one grey point.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func (s *Sim) images(w http.ResponseWriter, a *asked) {
	n := 1
	switch v := a.fields["n"].(type) {
	case float64:
		n = int(v)
	case string:
		_, _ = fmt.Sscan(v, &n)
	}
	if n < 1 || n > 10 {
		s.refuse(w, http.StatusBadRequest, &scri.Error{Kind: scri.ErrInvalid, Path: "/n", Message: "n must be between 1 and 10"})
		return
	}
	usage := counts(words(a.str("prompt")), int64(n)*16)
	if streams(w, a.fields["stream"]) {
		event(w, map[string]any{"type": "image_generation.partial_image", "partial_image_index": 0, "b64_json": pixel})
		event(w, map[string]any{"type": "image_generation.completed", "b64_json": pixel, "usage": usage})
		return
	}
	var data []map[string]any
	for range n {
		data = append(data, map[string]any{"b64_json": pixel, "revised_prompt": "a simulated image: " + a.str("prompt")})
	}
	reply(w, http.StatusOK, map[string]any{"created": today(), "data": data, "usage": usage})
}

// moderate flags what says "flag me".
func moderate(w http.ResponseWriter, a *asked) {
	inputs := []any{a.fields["input"]}
	if list, ok := a.fields["input"].([]any); ok {
		inputs = list
	}
	var results []map[string]any
	for _, in := range inputs {
		flagged := strings.Contains(strings.ToLower(fmt.Sprint(in)), "flag me")
		score := 0.01
		if flagged {
			score = 0.99
		}
		results = append(results, map[string]any{
			"flagged": flagged, "categories": map[string]bool{"harassment": flagged, "violence": false},
			"category_scores": map[string]float64{"harassment": score, "violence": 0.001},
		})
	}
	model := a.str("model")
	if model == "" {
		model = "simulated-moderation"
	}
	reply(w, http.StatusOK, map[string]any{"id": "modr-simulated", "model": model, "results": results})
}

// rerank orders documents by how many words of the query they have.
func rerank(w http.ResponseWriter, p dialect.Passage, a *asked) {
	type ranked struct {
		Index int     `json:"index"`
		Score float64 `json:"relevance_score"`
	}
	query := strings.Fields(strings.ToLower(a.str("query")))
	docs, _ := a.fields["documents"].([]any)
	list := make([]ranked, 0, len(docs))
	for i, doc := range docs {
		text, hits := strings.ToLower(fmt.Sprint(doc)), 0
		for _, q := range query {
			if strings.Contains(text, q) {
				hits++
			}
		}
		list = append(list, ranked{i, float64(hits) / float64(max(len(query), 1))})
	}
	slices.SortStableFunc(list, func(x, y ranked) int {
		switch {
		case x.Score > y.Score:
			return -1
		case x.Score < y.Score:
			return 1
		default:
			return 0
		}
	})
	if n, ok := a.fields["top_n"].(float64); ok && n >= 0 && int(n) < len(list) {
		list = list[:int(n)]
	}
	out := map[string]any{"id": "rerank-simulated", "model": a.str("model"), "results": list}
	if p.Dialect == "cohere" {
		out["meta"] = map[string]any{"billed_units": map[string]any{"search_units": 1}}
	} else {
		out["usage"] = map[string]any{"total_tokens": len(query) * max(len(docs), 1)}
	}
	reply(w, http.StatusOK, out)
}
