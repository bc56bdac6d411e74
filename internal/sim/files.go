package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Bounds of what a simulated provider keeps; the oldest go first.
const (
	mostFiles   = 64
	mostBatches = 64
	mostKept    = 64 << 20 // bytes of files
)

// kept is what a simulated provider keeps for its clients.
type kept struct {
	mu      sync.Mutex
	next    int
	size    int
	files   []*file
	batches []*batch
	uploads []*upload
}

type file struct {
	id, name, purpose string
	data              []byte
}

type batch struct {
	id       string
	fields   map[string]any // as told
	requests []any          // Anthropic's
}

// today is when all that is kept was made: the day began.
func today() int64 { return time.Now().UTC().Truncate(24 * time.Hour).Unix() }

func (f *file) told(anthropic bool) map[string]any {
	if anthropic {
		return map[string]any{
			"id": f.id, "type": "file", "filename": f.name, "mime_type": "application/octet-stream", "size_bytes": len(f.data),
			"created_at": time.Unix(today(), 0).UTC(), "downloadable": true,
		}
	}
	return map[string]any{
		"id": f.id, "object": "file", "bytes": len(f.data), "created_at": today(), "filename": f.name, "purpose": f.purpose, "status": "processed",
	}
}

// put keeps a file.
func (k *kept) put(name, purpose string, data []byte) *file {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.next++
	f := &file{id: fmt.Sprintf("file-simulated%d", k.next), name: name, purpose: purpose, data: data}
	k.files = append(k.files, f)
	k.size += len(data)
	for len(k.files) > 1 && (len(k.files) > mostFiles || k.size > mostKept) {
		k.size -= len(k.files[0].data)
		k.files = k.files[1:]
	}
	return f
}

func (k *kept) file(id string) *file {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range k.files {
		if f.id == id {
			return f
		}
	}
	return nil
}

func (k *kept) drop(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, f := range k.files {
		if f.id == id {
			k.size -= len(f.data)
			k.files = append(k.files[:i:i], k.files[i+1:]...)
			return
		}
	}
}

// list tells what is kept, the newest first.
func (k *kept) list(anthropic bool) []map[string]any {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := []map[string]any{}
	for _, f := range slices.Backward(k.files) {
		out = append(out, f.told(anthropic))
	}
	return out
}

// serve answers for files.
func (k *kept) serve(s *Sim, w http.ResponseWriter, r *http.Request, p dialect.Passage, a *asked) {
	if strings.HasPrefix(p.Pattern, "/v1/uploads") {
		k.uploading(s, w, r, p.Pattern, a)
		return
	}
	anthropic := p.Spoken(r.Header).Dialect == "anthropic"
	switch {
	case r.Method == http.MethodPost && a.file == nil:
		s.refuse(w, http.StatusBadRequest, &scri.Error{Kind: scri.ErrInvalid, Path: "/file", Message: "a file is missing"})
		return
	case r.Method == http.MethodPost:
		reply(w, http.StatusOK, k.put(a.name, a.str("purpose"), a.file).told(anthropic))
		return
	case !strings.Contains(p.Pattern, "{id}"):
		reply(w, http.StatusOK, listing(k.list(anthropic)))
		return
	}
	f := k.file(r.PathValue("id"))
	switch {
	case f == nil:
		s.refuse(w, http.StatusNotFound, &scri.Error{Kind: scri.ErrNotFound, Message: "No such File object: " + r.PathValue("id")})
	case r.Method == http.MethodDelete && anthropic:
		k.drop(f.id)
		reply(w, http.StatusOK, map[string]any{"id": f.id, "type": "file_deleted"})
	case r.Method == http.MethodDelete:
		k.drop(f.id)
		reply(w, http.StatusOK, map[string]any{"id": f.id, "object": "file", "deleted": true})
	case strings.HasSuffix(p.Pattern, "/content"):
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
	default:
		reply(w, http.StatusOK, f.told(anthropic))
	}
}

func listing(data []map[string]any) map[string]any {
	out := map[string]any{"object": "list", "data": data, "has_more": false, "first_id": nil, "last_id": nil}
	if len(data) > 0 {
		out["first_id"], out["last_id"] = data[0]["id"], data[len(data)-1]["id"]
	}
	return out
}

// batches answers for batches, which are done as soon as they are there.
func (s *Sim) batches(w http.ResponseWriter, r *http.Request, p dialect.Passage, a *asked) {
	k := &s.files
	if r.Method == http.MethodPost && !strings.Contains(p.Pattern, "{id}") {
		b, err := s.batch(a, p.Dialect == "anthropic")
		if err != nil {
			s.refuse(w, http.StatusBadRequest, err)
			return
		}
		reply(w, http.StatusOK, b.fields)
		return
	}
	k.mu.Lock()
	var found *batch
	all := []map[string]any{}
	for _, b := range slices.Backward(k.batches) {
		all = append(all, b.fields)
		if b.id == r.PathValue("id") {
			found = b
		}
	}
	k.mu.Unlock()
	switch {
	case !strings.Contains(p.Pattern, "{id}"):
		reply(w, http.StatusOK, listing(all))
	case found == nil:
		s.refuse(w, http.StatusNotFound, &scri.Error{Kind: scri.ErrNotFound, Message: "No batch found with id " + r.PathValue("id")})
	case strings.HasSuffix(p.Pattern, "/results"):
		w.Header().Set("Content-Type", "application/x-jsonl")
		for _, q := range found.requests {
			_ = json.NewEncoder(w).Encode(s.result(q)) // the client may be gone
		}
	case r.Method == http.MethodDelete:
		reply(w, http.StatusOK, map[string]any{"id": found.id, "type": "message_batch_deleted"})
	default:
		reply(w, http.StatusOK, found.fields)
	}
}

// batch makes a batch of what is asked.
func (s *Sim) batch(a *asked, anthropic bool) (*batch, *scri.Error) {
	k := &s.files
	b := &batch{}
	var output *file
	if anthropic {
		if b.requests, _ = a.fields["requests"].([]any); len(b.requests) == 0 {
			return nil, &scri.Error{Kind: scri.ErrInvalid, Path: "/requests", Message: "requests are missing"}
		}
	} else {
		in := k.file(a.str("input_file_id"))
		if in == nil {
			return nil, &scri.Error{Kind: scri.ErrInvalid, Path: "/input_file_id", Message: "there is no such file"}
		}
		output = k.put("output.jsonl", "batch_output", s.outputs(in.data))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.next++
	if anthropic {
		n := len(b.requests)
		b.id = fmt.Sprintf("msgbatch_simulated%d", k.next)
		at := time.Unix(today(), 0).UTC()
		b.fields = map[string]any{
			"id": b.id, "type": "message_batch", "processing_status": "ended", "created_at": at, "ended_at": at, "expires_at": at.Add(24 * time.Hour),
			"request_counts": map[string]any{"processing": 0, "succeeded": n, "errored": 0, "canceled": 0, "expired": 0},
			"archived_at":    nil, "cancel_initiated_at": nil, "results_url": nil,
		}
	} else {
		n := bytes.Count(output.data, []byte("\n"))
		b.id = fmt.Sprintf("batch_simulated%d", k.next)
		b.fields = map[string]any{
			"id": b.id, "object": "batch", "endpoint": a.str("endpoint"), "input_file_id": a.str("input_file_id"), "output_file_id": output.id,
			"completion_window": a.str("completion_window"), "status": "completed", "created_at": today(), "completed_at": today(),
			"request_counts": map[string]any{"total": n, "completed": n, "failed": 0},
		}
	}
	if k.batches = append(k.batches, b); len(k.batches) > mostBatches {
		k.batches = k.batches[1:]
	}
	return b, nil
}

// outputs answers each line of a batch's file.
func (s *Sim) outputs(in []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(in) {
		var q struct {
			ID string `json:"custom_id"`
		}
		if json.Unmarshal(line, &q) != nil {
			continue
		}
		_ = json.NewEncoder(&out).Encode(map[string]any{ // into memory
			"id": "batch_req_" + q.ID, "custom_id": q.ID, "error": nil,
			"response": map[string]any{"status_code": 200, "request_id": "simulated", "body": map[string]any{
				"id": "chatcmpl-simulated", "object": "chat.completion", "created": today(), "model": "simulated",
				"choices": []map[string]any{{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": s.said()}}},
			}},
		})
	}
	return out.Bytes()
}

func (s *Sim) said() string { return "This is a simulated answer of " + s.opt.Name + " in a batch." }

// result answers one request of an Anthropic batch.
func (s *Sim) result(q any) map[string]any {
	m, _ := q.(map[string]any)
	return map[string]any{"custom_id": m["custom_id"], "result": map[string]any{"type": "succeeded", "message": map[string]any{
		"id": "msg_simulated", "type": "message", "role": "assistant", "model": "simulated", "stop_reason": "end_turn", "stop_sequence": nil,
		"content": []map[string]any{{"type": "text", "text": s.said()}}, "usage": map[string]any{"input_tokens": 1, "output_tokens": 9},
	}}}
}
