// Package docs has the documents that the program and its manual pages show.
package docs

import _ "embed" // for the documents below

var (
	// Formats is formats.md: what is read, and every field of what is written.
	//
	//go:embed formats.md
	Formats string
	// Recipe is recipe.md: the file that says how a bundle is made.
	//
	//go:embed recipe.md
	Recipe string
)
