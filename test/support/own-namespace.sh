# In a mount namespace of its own: nothing goes in or out, no mount of ours is there, and /dev/fuse is a file of its own.
set -eu
mount --make-rprivate /
awk '$3 == "fuse.ramproc" { print $2 }' /proc/self/mounts | xargs -r umount -l
# The tmpfs that the file lies on has no name afterwards.
dir=$(mktemp -d)
mount -t tmpfs -o mode=755 ramproc-test "$dir"
mknod -m 600 "$dir/fuse" c 10 229
mount --bind "$dir/fuse" /dev/fuse
umount -l "$dir"
rmdir "$dir"
