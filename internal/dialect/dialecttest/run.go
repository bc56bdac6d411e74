package dialecttest

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// The checks, by law and by what is checked.
const (
	CheckLaw1Request  = "1 request"
	CheckLaw1Response = "1 answer"
	CheckLaw1Stream   = "1 stream"
	CheckLaw2         = "2 replay"
	CheckLaw3         = "3 cuts"
	CheckLaw4Request  = "4 request"
	CheckLaw4Response = "4 answer"
	CheckLaw4Stream   = "4 stream"
	CheckLaw5         = "5 truncation"
	CheckLaw6Request  = "6 request"
	CheckLaw6Response = "6 answer"
	CheckLaw7         = "7 bytes"
	CheckErrorKind    = "error kind"
	CheckErrorPair    = "error told"
)

// Result is one law asked of one exchange.
type Result struct {
	X        *Exchange
	Check    string
	Target   string   // the other dialect, for checks of pairs
	Problems []string // none: kept
	NA       string   // why it could not be asked
}

// Run asks all laws of all exchanges whose dialect is in the table.
func Run(table []dialect.Dialect, corpus []*Exchange) []Result {
	results := make([][]Result, len(corpus))
	var wg sync.WaitGroup
	work := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range work {
				results[i] = RunOne(table, corpus[i])
			}
		})
	}
	for i := range corpus {
		work <- i
	}
	close(work)
	wg.Wait()
	return slices.Concat(results...)
}

// A runner asks the laws of one exchange.
type runner struct {
	x       *Exchange
	d       dialect.Dialect
	table   []dialect.Dialect
	req     *scri.ChatRequest
	clients map[string]*scri.ChatRequest // req as a client of each dialect would have sent it, for a whole answer
	streams map[string]*scri.ChatRequest // the same for a stream
	out     []Result
}

// RunOne asks all laws of one exchange.
func RunOne(table []dialect.Dialect, x *Exchange) []Result {
	i := slices.IndexFunc(table, func(d dialect.Dialect) bool { return d.Name() == x.Dialect })
	if i < 0 {
		return nil
	}
	r := &runner{x: x, d: table[i], table: table, clients: map[string]*scri.ChatRequest{}, streams: map[string]*scri.ChatRequest{}}
	if x.Op == scri.OpEmbed {
		r.embed()
		return r.out
	}
	if x.Request != nil || x.Method != "" {
		r.request()
	}
	if asked := r.req; asked != nil || x.Status < http.StatusBadRequest {
		if asked == nil {
			asked = Hello()
		}
		for _, to := range table {
			r.clients[to.Name()], r.streams[to.Name()] = AsClient(to, asked, false), AsClient(to, asked, true)
		}
	}
	switch {
	case x.Skip != "":
		r.out = append(r.out, Result{X: x, Check: CheckLaw1Stream, NA: x.Skip})
	case x.Status >= http.StatusBadRequest:
		r.failure()
	case x.Stream != nil:
		r.stream()
	case x.Body != nil:
		r.response()
	}
	return r.out
}

func (r *runner) add(check, to string, problems []string) {
	r.out = append(r.out, Result{X: r.x, Check: check, Target: to, Problems: problems})
}

func (r *runner) request() {
	x := r.x
	if x.Request == nil {
		r.out = append(r.out, Result{X: x, Check: CheckLaw1Request, NA: "the request has no JSON body"})
		return
	}
	broken := guard(func() []string {
		req, err := r.d.DecodeRequest(Incoming(r.d, x.Path, x.Header, x.Request))
		if err != nil {
			return []string{"decode: " + err.Error()}
		}
		r.req = req
		return nil
	})
	if r.req == nil {
		if x.Status == http.StatusBadRequest && !strings.HasPrefix(broken[0], "panic") {
			r.out = append(r.out, Result{X: x, Check: CheckLaw1Request, NA: "refused, as its provider refused it: " + broken[0]})
			return
		}
		r.add(CheckLaw1Request, "", broken)
		return
	}
	r.add(CheckLaw1Request, "", Law1Request(r.d, x.Path, x.Header, x.Request))
	pretty, err := r.d.DecodeRequest(Incoming(r.d, x.Path, x.Header, Pretty(x.Request)))
	if err != nil {
		r.add(CheckLaw1Request, "", []string{"with white space: " + err.Error()})
		return
	}
	for _, to := range r.table {
		problems := guard(func() []string { return inPieces(to, r.req, x.Request) })
		r.add(CheckLaw4Request, to.Name(), append(Law4Request(to, r.req), problems...))
		r.add(CheckLaw6Request, to.Name(), Law6Request(to, r.req))
		r.add(CheckLaw7, to.Name(), Law7(to, pretty))
	}
}

func (r *runner) answer() *dialect.Answer {
	t := &dialect.Target{Model: someModel}
	if r.req != nil && r.req.Model != "" {
		t.Model = r.req.Model
	}
	return &dialect.Answer{Status: r.x.Status, Header: r.x.RespHeader, Body: r.x.Body, Target: t}
}

func (r *runner) response() {
	r.add(CheckLaw1Response, "", Law1Response(r.d, r.clients[r.d.Name()], r.answer()))
	var resp *scri.ChatResponse
	broken := guard(func() []string {
		var err error
		if resp, err = r.d.DecodeResponse(r.answer()); err != nil {
			return []string{"decode: " + err.Error()}
		}
		return nil
	})
	if broken != nil {
		return // law 1 has told of it
	}
	for _, to := range r.table {
		r.add(CheckLaw4Response, to.Name(), Law4Response(to, r.clients[to.Name()], resp))
		r.add(CheckLaw4Stream, to.Name(), Law4Replay(to, r.streams[to.Name()], resp))
	}
	r.whole(resp)
}

// whole asks the laws of an answer, however it came.
func (r *runner) whole(resp *scri.ChatResponse) {
	r.add(CheckLaw2, "", Law2(resp))
	for _, to := range r.table {
		r.add(CheckLaw6Response, to.Name(), Law6Response(to, r.clients[to.Name()], resp))
	}
}

func (r *runner) stream() {
	x := r.x
	if x.Has("stream-error") {
		r.out = append(r.out, Result{X: x, Check: CheckLaw1Stream, NA: "the stream ends in an error, so there is no whole answer to compare"})
		r.add(CheckErrorKind, "", guard(func() []string {
			if _, err := ReadStream(r.d, x.RespHeader, x.Stream); err == nil {
				return []string{"the error inside the stream was not seen"}
			}
			return nil
		}))
	} else {
		r.add(CheckLaw1Stream, "", Law1Stream(r.d, r.streams[r.d.Name()], x.RespHeader, x.Stream))
	}
	r.add(CheckLaw3, "", Law3(r.d, x.RespHeader, x.Stream, x.Chunks))
	r.add(CheckLaw5, "", Law5(r.d, x.RespHeader, x.Stream))
	for _, to := range r.table {
		r.add(CheckLaw4Stream, to.Name(), Law4Stream(r.d, to, r.streams[to.Name()], x.RespHeader, x.Stream))
	}
	var resp *scri.ChatResponse
	guard(func() []string {
		resp, _ = ReadStream(r.d, x.RespHeader, x.Stream) // law 1 tells of it
		return nil
	})
	if resp != nil && !x.Has("stream-error") {
		r.whole(resp)
	}
}

// kinds say what each tag of an error may be read as, the most telling tag first.
// A tag follows the status the provider chose; QUIRKS.md of the recordings tells
// of statuses that mean another thing, hence the wider sets.
var kinds = []struct {
	tag  string
	want []scri.ErrorKind
}{
	{"error-context-length", []scri.ErrorKind{scri.ErrContextLength}},
	{"error-rate-limit", []scri.ErrorKind{scri.ErrRateLimited, scri.ErrQuota, scri.ErrContextLength}},
	{"error-model-not-found", []scri.ErrorKind{scri.ErrNotFound, scri.ErrUnsupported, scri.ErrInvalid}},
	{"error-not-found", []scri.ErrorKind{scri.ErrNotFound, scri.ErrUnsupported}}, // no endpoint that can do it
	{"error-auth", []scri.ErrorKind{scri.ErrAuth, scri.ErrPermission, scri.ErrUnsupported, scri.ErrContentFilter}},
	{"error-unsupported-param", []scri.ErrorKind{scri.ErrInvalid, scri.ErrUnsupported}},
	{"error-tool-schema", []scri.ErrorKind{scri.ErrInvalid, scri.ErrUnsupported}},
	{"error-server", []scri.ErrorKind{scri.ErrUnavailable, scri.ErrOverloaded, scri.ErrUnsupported, scri.ErrInvalid}},
	{"error", []scri.ErrorKind{scri.ErrInvalid, scri.ErrUnsupported, scri.ErrContentFilter}},
}

func (r *runner) failure() {
	x := r.x
	var e *scri.Error
	problems := guard(func() []string {
		e = r.d.DecodeError(r.answer())
		if e == nil {
			return []string{"no error was read"}
		}
		return judgeError(x, e)
	})
	r.add(CheckErrorKind, "", problems)
	if e == nil {
		return
	}
	for _, to := range r.table {
		r.add(CheckErrorPair, to.Name(), LawError(to, e))
	}
}

func judgeError(x *Exchange, e *scri.Error) (problems []string) {
	if x.Kind != "" && e.Kind != x.Kind {
		problems = append(problems, fmt.Sprintf("%s (%d) was read as %s: %s", x.Kind, x.Status, e.Kind, short(e.Message)))
	}
	for _, k := range kinds {
		if x.Has(k.tag) {
			if !slices.Contains(k.want, e.Kind) {
				problems = append(problems, fmt.Sprintf("%s (%d) was read as %s: %s", k.tag, x.Status, e.Kind, short(e.Message)))
			}
			break
		}
	}
	if x.Status == http.StatusUnauthorized && e.Kind != scri.ErrAuth {
		problems = append(problems, fmt.Sprintf("a wrong credential was read as %s: %s", e.Kind, short(e.Message)))
	}
	if e.Status != x.Status {
		problems = append(problems, fmt.Sprintf("status %d was read as %d", x.Status, e.Status))
	}
	if e.Message == "" {
		problems = append(problems, "no message was read")
	}
	if n, err := strconv.Atoi(x.RespHeader.Get("Retry-After")); err == nil && n > 0 && x.RespHeader.Get("Retry-After-Ms") == "" && e.RetryAfter <= 0 {
		problems = append(problems, "Retry-After was not read")
	}
	return problems
}

// Readable reports whether the dialect accepts the request, and whether it is
// fit for anybody, or whether it can read the answer to its end.
func Readable(d dialect.Dialect, x *Exchange) bool {
	var err error
	switch {
	case x.Request != nil:
		var req *scri.ChatRequest
		if req, err = d.DecodeRequest(Incoming(d, x.Path, x.Header, x.Request)); err == nil {
			err = req.Validate()
		}
	case x.Stream != nil:
		_, err = ReadStream(d, x.RespHeader, x.Stream)
	default:
		_, err = d.DecodeResponse(&dialect.Answer{Status: x.Status, Header: x.RespHeader, Body: x.Body, Target: target("")})
	}
	return err == nil
}
