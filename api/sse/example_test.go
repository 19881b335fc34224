package sse_test

import (
	"fmt"
	"strings"

	"github.com/culvert-net/culvert/api/sse"
)

func ExampleReader() {
	events := sse.NewReader(strings.NewReader(": ping\r\n\r\ndata: {\"x\":1}\n\ndata: [DONE]\n\n"), sse.MaxEvent)
	for {
		e, err := events.Next()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%q comment=%v done=%v data=%s\n", e.Raw, e.IsComment(), e.IsDone(), e.Data)
	}
	// Output:
	// ": ping\r\n\r\n" comment=true done=false data=
	// "data: {\"x\":1}\n\n" comment=false done=false data={"x":1}
	// "data: [DONE]\n\n" comment=false done=true data=[DONE]
	// EOF
}
