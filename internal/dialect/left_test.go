package dialect

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/scri"
)

// A client has its whole answer before anything is told that nobody waits for.
func TestLeft(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func() (scri.Stream, error)
		status int
	}{
		{"answer", func() (scri.Stream, error) {
			return scri.Replay(&scri.ChatResponse{Choices: []scri.Choice{{Output: []scri.Message{{Role: scri.RoleAssistant, Parts: []scri.Part{scri.TextPart("hello")}}}}}}), nil
		}, 200},
		{"error", func() (scri.Stream, error) {
			return nil, &scri.Error{Kind: scri.ErrOverloaded, Message: "busy"}
		}, 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			read := make(chan struct{})
			told := make(chan int, 1)
			h := Serve(plain{}, Route{Op: scri.OpChat}, func(context.Context, *scri.Exchange) (scri.Stream, error) {
				return c.answer()
			}, ServeOptions{Left: func(r *http.Request, _ *scri.Exchange, status int, _ *scri.Error) {
				select {
				case <-read:
					told <- status
				case <-r.Context().Done(): // the client gave up
					told <- 0
				}
			}})
			srv := httptest.NewServer(h)
			defer srv.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL, strings.NewReader("hi"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := srv.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if b, err := io.ReadAll(resp.Body); err != nil || len(b) == 0 || int64(len(b)) != resp.ContentLength {
				t.Fatalf("%q of %d bytes, %v", b, resp.ContentLength, err)
			}
			close(read)
			if status := <-told; status != c.status || status != resp.StatusCode {
				t.Errorf("told %d, want %d; the client got %d", status, c.status, resp.StatusCode)
			}
		})
	}
}
