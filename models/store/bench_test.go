package store

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkSubmit measures submissions to the store alone, each on disk before
// it counts. More writers share each sync.
func BenchmarkSubmit(b *testing.B) {
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := openTest(b, nil)
			_, p := newProject(b, s)
			work := make(chan struct{}, writers)
			var wg sync.WaitGroup
			before := processorTime(b)
			b.ResetTimer()
			for range writers {
				wg.Go(func() {
					for range work {
						in := newFeedback(p, "The total in the cart is wrong: it shows 38.50 but the two teas add up to 35.00.")
						if _, err := s.Submit(b.Context(), in); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			for range b.N {
				work <- struct{}{}
			}
			close(work)
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "acks/s")
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// processorTime is what this process has used of the processor: unlike the time
// on the clock it says little of what else the machine was doing.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
