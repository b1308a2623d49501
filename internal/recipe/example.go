package recipe

import _ "embed"

// Example is a recipe to start from.
//
//go:embed example.yaml
var Example string
