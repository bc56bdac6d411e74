package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/sim"
)

// There is no cap on the connections to a provider: of many streams at once all have
// begun before any has ended, and none waits for another.
func TestStreamsDoNotWaitForEachOther(t *testing.T) {
	const streams = 300 // above the caps that are usual: 100, 128, 256
	l := newLab(t, "", up{name: "any", dialect: "openai"})
	l.sims["any"].Set(sim.Fault{Kind: sim.StallStream})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var begun, over sync.WaitGroup
	begun.Add(streams)
	for range streams {
		over.Go(func() {
			line, rest, err := firstLine(ctx, l)
			if begun.Done(); err != nil || !strings.HasPrefix(line, "data: {") {
				t.Errorf("%q, %v", line, err)
				return
			}
			defer rest.Close()
			_, _ = io.Copy(io.Discard, rest) // until all are canceled
		})
	}
	begun.Wait()
	if n := strings.Count(l.log.String(), `"msg":"request"`); n != 0 || ctx.Err() != nil {
		t.Errorf("%d streams have ended before all had begun: %v", n, ctx.Err())
	}
	cancel()
	over.Wait()
	text, more := l.log.now()
	for late := time.After(patience); strings.Count(text, `"msg":"request"`) < streams; text, more = l.log.now() {
		select {
		case <-more:
		case <-late:
			t.Fatal("not every stream ends in the log")
		}
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, `"level":"WARN"`) || strings.Contains(line, "failed") {
			t.Errorf("that the clients left is held against somebody: %s", line)
			break
		}
	}
}

// firstLine begins a stream and reads its first line.
func firstLine(ctx context.Context, l *lab) (string, io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/v1/chat/completions",
		strings.NewReader(`{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}`))
	if err != nil {
		return "", nil, err
	}
	res, err := l.client.Do(req)
	if err != nil {
		return "", nil, err
	}
	line, err := bufio.NewReader(res.Body).ReadString('\n')
	return line, res.Body, err
}

// With the log on and more clients than can be served at once, what stays in memory
// does not grow with the number of requests that were served, whatever became of them.
func TestMemoryDoesNotGrowUnderLoad(t *testing.T) {
	l := newLab(t, "[behaviour]\nenable_fallback = false\n", up{name: "any", dialect: "openai"}, up{name: "far", dialect: "anthropic"})
	text := strings.Repeat("a long text, ", 1500)
	faults := []sim.FaultKind{"", "", "", sim.Refuse, sim.RateLimit, sim.ServerError, sim.Cut, sim.Reset, sim.HalfRune, sim.ErrorSecond, sim.ErrorIn200}
	round := func(requests int) uint64 {
		work := make(chan int)
		var wg sync.WaitGroup
		for range 8 * runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				for i := range work {
					name := [...]string{"any", "far"}[i%2]
					if i%8 == 0 {
						l.sims[name].Set(sim.Fault{Kind: faults[i/8%len(faults)], Times: 3})
					}
					body := fmt.Sprintf(`{"model":"%s:m","stream":%t,"max_tokens":50,"messages":[{"role":"user","content":"%d %s"}]}`, name, i%3 > 0, i, text)
					d := all.Get("openai")
					if i%2 == 0 {
						d = all.Get("anthropic")
					}
					l.post(t, d, "", nil, []byte(body))
				}
			})
		}
		for i := range requests {
			work <- i
		}
		close(work)
		wg.Wait()
		if log := l.log.String(); strings.Contains(log, `"msg":"panic"`) || strings.Count(log, `"msg":"request"`) < requests/2 {
			t.Errorf("the log is not what it should be: %.2000s", log)
		}
		l.log.reset()
		l.client.CloseIdleConnections()
		runtime.GC()
		runtime.GC() // what pools kept is gone
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	round(300) // whatever is made once
	small := round(300)
	large := round(1200)
	t.Logf("%d KB stay in memory after 300 requests, %d KB after 1200", small>>10, large>>10)
	if large > small+4<<20 {
		t.Errorf("%d KB stay in memory after 300 requests, %d KB after 1200", small>>10, large>>10)
	}
}
