package app

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// zeros is a file of so many bytes that lies nowhere.
type zeros int

func (z *zeros) Read(p []byte) (int, error) {
	if *z == 0 {
		return 0, io.EOF
	}
	n := min(len(p), int(*z))
	clear(p[:n])
	*z -= zeros(n)
	return n, nil
}

// A large file passes through, both ways, without a copy of it in memory.
func TestLargeFilesTakeNoMemory(t *testing.T) {
	const size = 50 << 20
	got := make(chan int64, 1)
	l := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Type", "audio/wav")
			file := zeros(size)
			_, _ = io.Copy(w, &file)
			return
		}
		form, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		for {
			part, err := form.NextPart()
			if err != nil {
				break
			}
			if n, err := io.Copy(io.Discard, part); part.FormName() == "file" && err == nil {
				got <- n
			}
		}
		_, _ = io.WriteString(w, `{"text":"nothing was said","usage":{"input_tokens":9,"output_tokens":3}}`)
	})
	large := func() {
		_, head := formOf(t, "model", "m", "file@", "")
		typ := "multipart/form-data; boundary=" + string(head[2:62])
		end := bytes.LastIndex(head, []byte("\r\n--"))
		file := zeros(size)
		body := io.MultiReader(bytes.NewReader(head[:end]), &file, bytes.NewReader(head[end:]))
		r := l.send(t, http.MethodPost, "/v1/audio/transcriptions", http.Header{"Content-Type": {typ}}, body)
		if n := <-got; r.status != http.StatusOK || n != size {
			t.Errorf("%d %s, and %d bytes arrived", r.status, r.body, n)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.url+"/v1/files/f/content", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := l.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if n, err := io.Copy(io.Discard, res.Body); err != nil || n != size {
			t.Errorf("%d bytes came back: %v", n, err)
		}
	}
	large() // whatever is made once
	before := allocated()
	large()
	if cost := allocated() - before; cost > 8<<20 {
		t.Errorf("twice %d MB cost %d MB of memory", size>>20, cost>>20)
	}
}

// Who leaves ends the request upstream, while it is sent and while its answer is
// awaited or comes.
func TestRelaysEndWithTheClient(t *testing.T) {
	began, ended := make(chan struct{}, 1), make(chan error, 1)
	l := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/audio/transcriptions":
			_, _ = io.ReadFull(r.Body, make([]byte, 64<<10))
			began <- struct{}{}
			_, err := io.Copy(io.Discard, r.Body)
			ended <- err
		default:
			_, _ = io.Copy(io.Discard, r.Body)
			if r.URL.Path == "/v1/images/generations" {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, "data: {}\n\n")
				_ = http.NewResponseController(w).Flush()
			}
			began <- struct{}{}
			<-r.Context().Done()
			ended <- r.Context().Err()
		}
	})
	for _, path := range []string{"/v1/audio/transcriptions", "/v1/audio/speech", "/v1/images/generations"} {
		ctx, leave := context.WithCancel(t.Context())
		var body io.Reader = strings.NewReader(`{"model":"m"}`)
		typ := "application/json"
		if strings.HasSuffix(path, "s") && strings.Contains(path, "audio") {
			_, head := formOf(t, "model", "m", "file@", strings.Repeat("x", 200<<10))
			typ = "multipart/form-data; boundary=" + string(head[2:62])
			pr, pw := io.Pipe()
			go func() { <-ctx.Done(); _ = pw.CloseWithError(ctx.Err()) }()
			body = io.MultiReader(bytes.NewReader(head[:150<<10]), pr) // and no more
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", typ)
		l.log.reset()
		done := make(chan struct{})
		go func() {
			defer close(done)
			if res, err := l.client.Do(req); err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		}()
		<-began
		leave()
		<-done
		if err := <-ended; err == nil {
			t.Errorf("%s: the provider got a whole request, or was left waiting", path)
		}
		for {
			text, more := l.log.now()
			if strings.Contains(text, `"msg":"request"`) {
				if !strings.Contains(text, `"kind":"canceled"`) && !strings.Contains(text, "did not arrive whole") {
					t.Errorf("%s: logged %s", path, text)
				}
				break
			}
			<-more
		}
	}
}

// What a provider sends is there at once, and not when more of it is.
func TestRelayedStreamsAreNotHeldUp(t *testing.T) {
	heard := make(chan struct{})
	l := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "data: {\"a\":1}\n\n")
		_ = http.NewResponseController(w).Flush()
		<-heard
		_, _ = io.WriteString(w, "data: {\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}\n\n")
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.url+"/v1/images/generations", strings.NewReader(`{"model":"m"}`))
	if err != nil {
		t.Fatal(err)
	}
	res, err := l.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	first := make([]byte, len("data: {\"a\":1}\n\n"))
	if _, err := io.ReadFull(res.Body, first); err != nil {
		t.Fatal(err)
	}
	close(heard)
	rest, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(rest), "usage") {
		t.Errorf("%q, %v", rest, err)
	}
}
