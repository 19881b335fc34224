// Package openaigo pins the client whose own tests are run against Culvert, in
// a module of its own: what checks the product is no part of it.
package openaigo

import _ "github.com/openai/openai-go/v3"
