// The one image of a real node: it pauses, serves or ends, as its arguments say.
module tiphys.dev/xtask/cluster/image

go 1.26.0
