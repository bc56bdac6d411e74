package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Farm is several simulated providers on their ports, and the control that
// switches their faults.
type Farm struct {
	mu    sync.Mutex
	posts []*post
	wg    sync.WaitGroup
}

// post is one provider at its address.
type post struct {
	*Sim
	addr   string
	server *http.Server // nil while connections are refused
}

// Add puts a provider at an address; with port 0 one is chosen. It returns the
// address at which it listens.
func (f *Farm) Add(ctx context.Context, s *Sim, addr string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.find(s.Name()) != nil {
		return "", fmt.Errorf("there are two simulated providers %q: faults are switched by their names", s.Name())
	}
	p := &post{Sim: s, addr: addr}
	if err := f.listen(ctx, p); err != nil {
		return "", err
	}
	f.posts = append(f.posts, p)
	return p.addr, nil
}

const readHeaderTimeout = 10 * time.Second

func (f *Farm) listen(ctx context.Context, p *post) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", p.addr)
	if err != nil {
		return fmt.Errorf("simulated %s: %w", p.Name(), err)
	}
	p.addr = l.Addr().String()
	srv := &http.Server{Handler: p.Sim, ReadHeaderTimeout: readHeaderTimeout}
	p.server = srv
	f.wg.Go(func() { _ = srv.Serve(l) }) // ends with Close, always with an error that says so
	return nil
}

// Set switches a provider's fault. Refuse closes its port for as long as it is on.
func (f *Farm) Set(ctx context.Context, name string, fault Fault) error {
	if err := fault.Check(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.find(name)
	if p == nil {
		return fmt.Errorf("no simulated provider %q", name)
	}
	if fault.Kind == Refuse && fault.Times == 0 {
		if p.server != nil {
			_ = p.server.Close() // what it was doing is to break
			p.server = nil
		}
		p.Set(fault)
		return nil
	}
	p.Set(fault)
	if p.server == nil {
		return f.listen(ctx, p)
	}
	return nil
}

func (f *Farm) find(name string) *post {
	for _, p := range f.posts {
		if p.Name() == name {
			return p
		}
	}
	return nil
}

// Close ends all providers and waits for them.
func (f *Farm) Close() error {
	f.mu.Lock()
	var errs []error
	for _, p := range f.posts {
		if p.server != nil {
			errs = append(errs, p.server.Close())
		}
	}
	f.mu.Unlock()
	f.wg.Wait()
	return errors.Join(errs...)
}

// status is what the control tells of a provider.
type status struct {
	Name    string `json:"name"`
	Dialect string `json:"dialect"`
	Address string `json:"address"`
	Served  int    `json:"served"`
	Fault   Fault  `json:"fault"`
}

// Control returns the handler that switches faults at run time:
//
//	GET    /              all providers
//	PUT    /{name}/fault  a Fault as JSON
//	DELETE /{name}/fault  no fault
//	POST   /{name}/next   {"case": id}: the recorded answer to the next request
//	GET    /{name}/last   the newest request as the provider got it
func (f *Farm) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, f.statuses()) })
	mux.HandleFunc("PUT /{name}/fault", func(w http.ResponseWriter, r *http.Request) {
		var fault Fault
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&fault); err != nil {
			complain(w, http.StatusBadRequest, plain(err))
			return
		}
		f.set(w, r, fault)
	})
	mux.HandleFunc("DELETE /{name}/fault", func(w http.ResponseWriter, r *http.Request) { f.set(w, r, Fault{}) })
	mux.HandleFunc("POST /{name}/next", func(w http.ResponseWriter, r *http.Request) {
		var next struct {
			Case string `json:"case"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&next); err != nil {
			complain(w, http.StatusBadRequest, err)
			return
		}
		p := f.named(w, r)
		if p == nil {
			return
		}
		if !p.Next(next.Case) {
			complain(w, http.StatusNotFound, fmt.Errorf("no recorded case %q", next.Case))
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /{name}/last", func(w http.ResponseWriter, r *http.Request) {
		if p := f.named(w, r); p != nil {
			last, _ := p.Last()
			reply(w, http.StatusOK, last)
		}
	})
	return mux
}

func (f *Farm) statuses() []status {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]status, 0, len(f.posts))
	for _, p := range f.posts {
		_, served := p.Last()
		list = append(list, status{Name: p.Name(), Dialect: p.Dialect(), Address: p.addr, Served: served, Fault: p.Fault()})
	}
	return list
}

// named is the provider of the path, or nil after a 404 was answered.
func (f *Farm) named(w http.ResponseWriter, r *http.Request) *post {
	f.mu.Lock()
	p := f.find(r.PathValue("name"))
	f.mu.Unlock() // a caller that does not read must not hold up the others
	if p == nil {
		complain(w, http.StatusNotFound, fmt.Errorf("no simulated provider %q", r.PathValue("name")))
	}
	return p
}

func (f *Farm) set(w http.ResponseWriter, r *http.Request, fault Fault) {
	if f.named(w, r) == nil {
		return
	}
	if err := f.Set(context.WithoutCancel(r.Context()), r.PathValue("name"), fault); err != nil {
		complain(w, http.StatusBadRequest, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// plain says without words of Go that a member is of another type.
func plain(err error) error {
	bad, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case !ok:
		return err
	case bad.Field == "":
		return errors.New("a fault is an object")
	case bad.Field == "kind":
		return errors.New("kind must be a string")
	default:
		return fmt.Errorf("%s must be a whole number, as docs/simulator.md has it", bad.Field)
	}
}

func reply(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the caller may be gone
}

func complain(w http.ResponseWriter, code int, err error) {
	reply(w, code, map[string]string{"error": err.Error()})
}
