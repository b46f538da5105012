package config

import "testing"

func TestGrowthPercent(t *testing.T) {
	for _, tc := range []struct {
		live uint64
		want int
	}{
		{0, 200}, {12 << 20, 200}, {16 << 20, 150}, {20 << 20, 120}, {24 << 20, 100}, {1 << 30, 100},
	} {
		if got := growthPercent(tc.live); got != tc.want {
			t.Errorf("growthPercent(%d MiB) = %d, want %d", tc.live>>20, got, tc.want)
		}
	}
}
