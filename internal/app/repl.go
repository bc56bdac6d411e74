package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/aratta-gateway/aratta/internal/nearest"
	"github.com/aratta-gateway/aratta/scri"
)

// replHelp is what /help says.
const replHelp = `A line is sent with Enter. Several lines:
  """            begins a text of several lines, and """ ends it
  \              at the end of a line goes on in the next
  pasted lines   stay together; Enter sends them
Commands:
  /model NAME    ask this model, chain or alias from now on; without NAME: what there is
  /why           who gave the last answer, and why
  /clear         forget the conversation
  /help          this
  /quit          end, as Ctrl-D does; Ctrl-C stops an answer, or forgets what was typed
//text sends a text that begins with a slash.`

// repl is a conversation of a person at a terminal. While a line is typed the
// terminal is raw and the editor sees Ctrl-C; while an answer comes it is a signal.
type repl struct {
	c      *chatting
	in     *os.File
	keys   *keys
	editor *term.Terminal
	ints   chan os.Signal
}

// interactive reports whether a person can be talked with.
func (p *program) interactive() bool { return terminal(p.In) && terminal(p.Err) }

// converse talks until the person ends it.
func (c *chatting) converse(ctx context.Context) error {
	in, ok := c.p.In.(*os.File)
	if !ok {
		return errors.New("standard input is no terminal")
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	res, err := c.p.answer(ctx, http.MethodGet, c.url, "/health", nil)
	if err != nil {
		return err // nobody is there: better said before a question is written
	}
	_ = res.Body.Close()
	r := &repl{c: c, in: in, keys: &keys{r: in}, ints: make(chan os.Signal, 1)}
	r.editor = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{r.keys, c.p.Err}, "")
	signal.Notify(r.ints, os.Interrupt)
	defer signal.Stop(r.ints)
	fmt.Fprintf(c.p.Err, "Aratta at %s, model %s. /help shows what there is, Ctrl-D ends.\n", c.url, modelName(c.model))
	if c.model != "" { // better said before a question is written
		if list, err := c.p.models(ctx, c.url); err == nil {
			if note, why, _ := offered(list, c.model); why+note != "" {
				fmt.Fprintln(printable(c.p.Err), oneLine(why+note)+" (/model NAME asks another)")
			}
		}
	}
	for ctx.Err() == nil {
		text, err := r.read(ctx)
		switch {
		case errors.Is(err, io.EOF):
			fmt.Fprintln(c.p.Err)
			return nil
		case errors.Is(err, errForgotten), err == nil && strings.TrimSpace(text) == "":
		case err != nil:
			return err
		case r.command(ctx, text):
			return nil
		}
	}
	return errInterrupted
}

func modelName(model string) string {
	if model == "" {
		return "auto"
	}
	return model
}

// errForgotten is what was typed and given up with Ctrl-C.
var errForgotten = errors.New("given up")

// What stands before the first line of a text, and before the others.
const (
	firstPrompt = "> "
	morePrompt  = "… "
	fence       = `"""`
)

// read reads one text, of one line or several.
func (r *repl) read(ctx context.Context) (string, error) {
	var text strings.Builder
	prompt, fenced := firstPrompt, false
	for {
		line, pasted, err := r.line(ctx, prompt)
		if err != nil {
			return "", err
		}
		if text.Len() == 0 && !fenced {
			if rest, ok := strings.CutPrefix(strings.TrimLeft(line, " "), fence); ok {
				fenced, line = true, rest
			}
		}
		prompt = morePrompt
		if text.Len()+len(line) > maxPrompt {
			return "", fmt.Errorf("the prompt is larger than %d MB", maxPrompt>>20)
		}
		if before, ends := strings.CutSuffix(strings.TrimRight(line, " "), fence); fenced && ends {
			text.WriteString(before)
			return strings.Trim(text.String(), "\n"), nil
		}
		if before, more := strings.CutSuffix(line, `\`); more && !fenced && !pasted {
			text.WriteString(before + "\n")
			continue
		}
		text.WriteString(line)
		if !fenced && !pasted {
			return text.String(), nil
		}
		text.WriteByte('\n')
	}
}

// line reads one line; pasted means that more of the same paste follows.
func (r *repl) line(ctx context.Context, prompt string) (line string, pasted bool, err error) {
	fd := int(r.in.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", false, err
	}
	defer func() {
		r.editor.SetBracketedPasteMode(false)
		err = errors.Join(err, term.Restore(fd, before))
	}()
	if width, height, err := term.GetSize(fd); err == nil && width > 0 {
		_ = r.editor.SetSize(width, height) // it writes nothing that could fail before a prompt
	}
	r.editor.SetBracketedPasteMode(true)
	r.editor.SetPrompt(prompt)
	type typed struct {
		line string
		err  error
	}
	done := make(chan typed, 1)
	go func() { // ends with the line, or with the process
		line, err := r.editor.ReadLine()
		done <- typed{line, err}
	}()
	for {
		select {
		case t := <-done:
			switch {
			case r.keys.interrupted():
				return "", false, errForgotten
			case errors.Is(t.err, term.ErrPasteIndicator):
				return t.line, true, nil
			default:
				return t.line, false, t.err
			}
		case <-r.ints: // from elsewhere than the keyboard: nothing is under way
		case <-ctx.Done():
			return "", false, errInterrupted
		}
	}
}

// command does what a text says: a command, or a question. It reports whether that
// is the end.
func (r *repl) command(ctx context.Context, text string) (end bool) {
	c, says := r.c, printable(r.c.p.Err)
	name, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	rest = strings.TrimSpace(rest)
	switch {
	case strings.HasPrefix(text, "//"):
		r.ask(ctx, text[1:])
	case !strings.HasPrefix(text, "/") || strings.Contains(text, "\n"):
		r.ask(ctx, text)
	case name == "/quit" || name == "/exit" || name == "/bye":
		return true
	case name == "/help" || name == "/?":
		fmt.Fprintln(says, replHelp)
	case name == "/clear":
		c.forget()
		fmt.Fprintln(says, "the conversation is forgotten")
	case name == "/why":
		c.tellWhy(says)
	case name == "/model" && rest != "":
		r.choose(ctx, rest)
	case name == "/model":
		r.models(ctx)
	default:
		fmt.Fprintf(says, "there is no %s", name)
		if near := nearest.Name(name, []string{"/model", "/why", "/clear", "/help", "/quit"}); near != "" {
			fmt.Fprintf(says, "; did you mean %s?", near)
		}
		fmt.Fprintln(says, "\n/help shows what there is, and //text sends a text that begins with a slash")
	}
	return false
}

// ask asks a question, which Ctrl-C stops.
func (r *repl) ask(ctx context.Context, text string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answered := make(chan error, 1)
	go func() { answered <- r.c.ask(ctx, text) }()
	for {
		select {
		case <-r.ints:
			cancel()
		case err := <-answered:
			switch {
			case errors.Is(err, errInterrupted):
				fmt.Fprintln(r.c.p.Err, "(stopped; neither the question nor what came of its answer is part of the conversation)")
			case err != nil:
				fmt.Fprintln(printable(r.c.p.Err), "aratta:", plainError(err))
			}
			return
		}
	}
}

// choose asks another model from now on, if there is one of that name.
func (r *repl) choose(ctx context.Context, name string) {
	says := printable(r.c.p.Err)
	list, err := r.c.p.models(ctx, r.c.url)
	if err != nil {
		fmt.Fprintln(says, "aratta:", plainError(err))
		return
	}
	note, why, helps := offered(list, name)
	switch {
	case why != "" && helps:
		fmt.Fprintf(says, "%s\nstill asking %s; /model shows what there is\n", oneLine(why), modelName(r.c.model))
		return
	case why != "":
		fmt.Fprintf(says, "%s\nstill asking %s", oneLine(why), modelName(r.c.model))
		r.tell(list)
		return
	}
	r.c.model = name
	if note != "" {
		note = "; " + note
	}
	fmt.Fprintln(says, "asking", modelName(name)+oneLine(note))
}

// models lists what can be asked for.
func (r *repl) models(ctx context.Context) {
	says := printable(r.c.p.Err)
	list, err := r.c.p.models(ctx, r.c.url)
	if err != nil {
		fmt.Fprintln(says, "aratta:", plainError(err))
		return
	}
	fmt.Fprint(says, "asking ", modelName(r.c.model))
	r.tell(list)
}

// tell prints the names of a list, behind what is on the line.
func (r *repl) tell(list *scri.ModelList) {
	says := printable(r.c.p.Err)
	fmt.Fprintln(says, "; there is:")
	for i := range list.Models {
		fmt.Fprintln(says, "  "+oneLine(list.Models[i].ID))
	}
}

// keys reads what is typed. The editor takes Ctrl-C for the end of all input, so it
// gets a line that is deleted and sent instead, and it is noted.
type keys struct {
	r    io.Reader
	rest []byte
	seen bool
}

const (
	interruptKey = 0x03
	forgetLine   = "\x05\x15\r" // to the end, delete to the beginning, Enter
)

func (k *keys) Read(p []byte) (int, error) {
	if len(k.rest) == 0 {
		b := make([]byte, len(p))
		n, err := k.r.Read(b)
		if err != nil {
			return 0, err
		}
		if i := bytes.IndexByte(b[:n], interruptKey); i >= 0 {
			k.seen = true
			k.rest = append(k.rest, forgetLine...) // and what was typed before it in the same breath
			b, n = b[i+1:], n-i-1
		}
		k.rest = append(k.rest, b[:n]...)
	}
	n := copy(p, k.rest)
	k.rest = k.rest[n:]
	return n, nil
}

// interrupted reports whether Ctrl-C was typed since it was last asked.
func (k *keys) interrupted() bool {
	was := k.seen
	k.seen = false
	return was
}
