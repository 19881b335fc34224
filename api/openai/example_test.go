package openai_test

import (
	"fmt"

	"github.com/culvert-net/culvert/api/openai"
)

func ExampleScrub() {
	body := []byte(`{"user":"ann", "model":"m", "x":9007199254740993, "store":true, "messages":[{"role":"user","content":"hi"}]}`)
	view, e := openai.ParseChat(body)
	if e != nil {
		fmt.Println(e)
		return
	}
	pseudonym := func(field, value string) string { return "p-1" }
	fmt.Printf("%s\n", openai.Scrub(body, view, "", pseudonym))
	// Output:
	// {"model":"m", "x":9007199254740993, "store":false, "messages":[{"role":"user","content":"hi"}]}
}
