// Package rule evaluates conditions that operators write in CEL, over what is
// known of a request and of a target that may answer it.
package rule

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/aratta-gateway/aratta/internal/nearest"
)

// Facts are what a rule may look at. Functions are called when a rule asks.
type Facts struct {
	Prompt   func() string            // the last text of the user
	Text     func() string            // all texts of the conversation
	Tokens   int64                    // of the prompt, estimated
	Stream   bool                     // the answer is to be streamed
	Tools    bool                     // tools may be called
	Vision   bool                     // there are images
	Model    string                   // as asked
	Metadata map[string]string        // of the request
	Header   func() map[string]string // by lower-case names; nothing that proves who somebody is
	Target   Target
	Now      time.Time
}

// Target is the target that a rule is asked about.
type Target struct {
	Provider, Model, Zone, Region string
	PriceIn, PriceOut             *float64 // US dollars for a million tokens; nil = unknown, null to a rule
	Context                       int64    // tokens; 0 = unknown
}

// Rule is a compiled condition. It is safe for concurrent use.
type Rule struct {
	text string
	run  cel.Program
}

// ErrUnbuilt is in the error of a rule that is well-formed, but asks for what
// this version does not know.
var ErrUnbuilt = errors.New("this version does not know it")

// mostCost bounds the work of one evaluation: a rule reads texts a few times.
const mostCost = 5_000_000

// maxRule bounds the text of a rule.
const maxRule = 16 << 10

// variables are what a rule may name, with their types.
func variables() map[string]*cel.Type {
	texts := cel.MapType(cel.StringType, cel.StringType)
	return map[string]*cel.Type{
		"request.prompt": cel.StringType, "request.text": cel.StringType, "request.tokens": cel.IntType,
		"request.chars": cel.IntType, "request.stream": cel.BoolType, "request.tools": cel.BoolType,
		"request.vision": cel.BoolType, "request.model": cel.StringType, "request.metadata": texts,
		"request.header":  texts,
		"target.provider": cel.StringType, "target.model": cel.StringType, "target.zone": cel.StringType,
		"target.region": cel.StringType, "target.price_in": cel.NullableType(cel.DoubleType),
		"target.price_out": cel.NullableType(cel.DoubleType), "target.context": cel.IntType,
		"now": cel.TimestampType,
	}
}

// unbuilt are names that rules will know, and do not yet.
func unbuilt() []string { return []string{"task", "difficulty", "class", "caller"} }

// Compile checks a rule. An error says what is wrong and where in the rule.
func Compile(text string) (*Rule, error) {
	if len(text) > maxRule {
		return nil, fmt.Errorf("longer than %d bytes", maxRule)
	}
	opts := []cel.EnvOption{cel.DefaultUTCTimeZone(true), cel.CrossTypeNumericComparisons(true)}
	known := variables()
	for _, name := range slices.Sorted(maps.Keys(known)) {
		opts = append(opts, cel.Variable(name, known[name]))
	}
	env, err := cel.NewEnv(opts...)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return nil, told(issues)
	}
	if err := unknown(parsed.NativeRep(), known); err != nil {
		return nil, err
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, told(issues)
	}
	if checked.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("must be true or false, not of type %s", checked.OutputType())
	}
	p, err := env.Program(checked, cel.CostLimit(mostCost), cel.InterruptCheckFrequency(1000))
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return &Rule{text, p}, nil
}

// told is the first of CEL's complaints in one line.
func told(issues *cel.Issues) error {
	e := issues.Errors()[0]
	return fmt.Errorf("at %d:%d: %s", e.Location.Line(), e.Location.Column()+1, e.Message)
}

// unknown finds names that are no variables, and tells what was meant.
func unknown(a *ast.AST, known map[string]*cel.Type) error {
	names := slices.Sorted(maps.Keys(known))
	bound := map[string]bool{} // by macros: all(x, ...)
	ast.PreOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.ComprehensionKind {
			c := e.AsComprehension()
			bound[c.IterVar()], bound[c.IterVar2()], bound[c.AccuVar()] = true, true, true
		}
	}))
	var bad error
	inner := map[int64]bool{} // parts of a longer name
	ast.PreOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		name, whole := nameOf(e)
		if bad != nil || name == "" || inner[e.ID()] {
			return
		}
		for x := e; x.Kind() == ast.SelectKind; {
			x = x.AsSelect().Operand()
			inner[x.ID()] = true
		}
		root, _, _ := strings.Cut(name, ".")
		switch {
		case !whole || bound[root]:
		case slices.Contains(unbuilt(), root):
			bad = fmt.Errorf("%q: %w", root, ErrUnbuilt)
		case !slices.ContainsFunc(names, func(k string) bool { return name == k || strings.HasPrefix(name, k+".") }):
			bad = fmt.Errorf("there is no %q", name)
			if near := nearest.Name(name, names); near != "" {
				bad = fmt.Errorf("%w; did you mean %q?", bad, near)
			}
		}
	}))
	return bad
}

// nameOf is the dotted name that an expression is, and whether it begins with an
// identifier.
func nameOf(e ast.Expr) (name string, whole bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent(), true
	case ast.SelectKind:
		s := e.AsSelect()
		if before, ok := nameOf(s.Operand()); ok {
			return before + "." + s.FieldName(), true
		}
		return s.FieldName(), false
	default:
		return "", false
	}
}

// String is the text of the rule.
func (r *Rule) String() string { return r.text }

// Holds evaluates the rule. An error means that it could not be decided: it asked
// for something that is not there, or took too long.
func (r *Rule) Holds(ctx context.Context, f *Facts) (bool, error) {
	v, _, err := r.run.ContextEval(ctx, (*activation)(f))
	if err != nil {
		return false, fmt.Errorf("%q: %w", r.text, err)
	}
	return v == types.True, nil
}

// activation looks the variables up.
type activation Facts

// ResolveName implements CEL's Activation.
func (f *activation) ResolveName(name string) (any, bool) {
	switch name {
	case "request.prompt":
		return f.Prompt(), true
	case "request.text":
		return f.Text(), true
	case "request.tokens":
		return f.Tokens, true
	case "request.chars":
		return int64(len([]rune(f.Text()))), true
	case "request.stream":
		return f.Stream, true
	case "request.tools":
		return f.Tools, true
	case "request.vision":
		return f.Vision, true
	case "request.model":
		return f.Model, true
	case "request.metadata":
		return orEmpty(f.Metadata), true
	case "request.header":
		return orEmpty(f.Header()), true
	case "now":
		return f.Now, true
	}
	return f.Target.resolve(name)
}

func (t *Target) resolve(name string) (any, bool) {
	switch name {
	case "target.provider":
		return t.Provider, true
	case "target.model":
		return t.Model, true
	case "target.zone":
		return t.Zone, true
	case "target.region":
		return t.Region, true
	case "target.price_in":
		return orNull(t.PriceIn), true
	case "target.price_out":
		return orNull(t.PriceOut), true
	case "target.context":
		return t.Context, true
	default:
		return nil, false
	}
}

func orNull(v *float64) any {
	if v == nil {
		return types.NullValue
	}
	return *v
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// Parent implements CEL's Activation.
func (f *activation) Parent() cel.Activation { return nil }
