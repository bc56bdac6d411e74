package sim

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// mostUploads bounds the uploads that a simulated provider keeps; the oldest go first.
const mostUploads = 16

// upload is a file that comes in parts.
type upload struct {
	id, name, purpose, status string
	parts                     map[string][]byte
	size                      int
	file                      map[string]any // once it is complete
}

func (u *upload) told() map[string]any {
	return map[string]any{
		"id": u.id, "object": "upload", "created_at": today(), "filename": u.name, "purpose": u.purpose, "bytes": u.size, "status": u.status, "file": u.file,
	}
}

// uploading answers for files that come in parts.
func (k *kept) uploading(s *Sim, w http.ResponseWriter, r *http.Request, pattern string, a *asked) {
	if pattern == "/v1/uploads" {
		k.mu.Lock()
		k.next++
		u := &upload{id: fmt.Sprintf("upload_simulated%d", k.next), name: a.str("filename"), purpose: a.str("purpose"), status: "pending", parts: map[string][]byte{}}
		if k.uploads = append(k.uploads, u); len(k.uploads) > mostUploads {
			k.uploads = k.uploads[1:]
		}
		k.mu.Unlock()
		reply(w, http.StatusOK, u.told())
		return
	}
	k.mu.Lock()
	var u *upload
	for _, o := range k.uploads {
		if o.id == r.PathValue("id") {
			u = o
		}
	}
	if u == nil || u.status != "pending" {
		k.mu.Unlock()
		s.refuse(w, http.StatusNotFound, &scri.Error{Kind: scri.ErrNotFound, Message: "No such pending Upload object: " + r.PathValue("id")})
		return
	}
	switch {
	case strings.HasSuffix(pattern, "/parts"):
		k.next++
		id := fmt.Sprintf("part_simulated%d", k.next)
		u.parts[id] = partOf(r)
		u.size += len(u.parts[id])
		k.mu.Unlock()
		reply(w, http.StatusOK, map[string]any{"id": id, "object": "upload.part", "created_at": today(), "upload_id": u.id})
		return
	case strings.HasSuffix(pattern, "/complete"):
		var data []byte
		ids, _ := a.fields["part_ids"].([]any)
		for _, id := range ids {
			name, _ := id.(string)
			data = append(data, u.parts[name]...)
		}
		u.status, u.parts = "completed", nil
		k.mu.Unlock()
		u.file = k.put(u.name, u.purpose, data).told(false)
	default:
		u.status, u.parts = "cancelled", nil
		k.mu.Unlock()
	}
	reply(w, http.StatusOK, u.told())
}

// partOf is the data of a part.
func partOf(r *http.Request) []byte {
	f, _, err := r.FormFile("data")
	if err != nil {
		return nil
	}
	defer f.Close()
	data, _ := io.ReadAll(f) // it lies in memory
	return data
}
