// Command aratta is a local-first AI gateway. See `aratta --help`.
package main

import (
	"context"
	"os"

	"github.com/aratta-gateway/aratta/internal/app"
)

// version is set when a release is built.
var version = "dev"

func main() {
	os.Exit(app.Main(context.Background(), version, os.Args[1:], app.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
