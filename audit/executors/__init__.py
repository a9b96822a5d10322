"""Who does the work of an extraction: this process, several, or the workers of a Ray cluster.

The work is cut into shards. A worker takes the number of a shard and leaves that shard and its
part of the manifest in the folder; nothing else passes between workers, so that who did it cannot
be seen in the bytes.
"""
