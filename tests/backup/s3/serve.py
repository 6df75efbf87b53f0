"""OpenStack Swift with its S3 door, in one folder: serve.py FOLDER PORT CERTIFICATE KEY BUCKET

Four servers of one machine, as Swift's own guide to a machine that holds all of it has them, over TLS on localhost. Prints
`ready` when the bucket is there. The login is test:tester, with the password testing.
"""
import http.client
import os
import pwd
import signal
import socket
import ssl
import sys
import time

from swift.common import utils
from swift.common.ring import RingBuilder
from swift.common.wsgi import run_wsgi

USER = pwd.getpwuid(os.geteuid()).pw_name


class Memory:
    """What the login keeps for a while. One process, and so no memcached."""

    def __init__(self):
        self.kept = {}

    def get(self, key, raise_on_error=False):
        return self.kept.get(key)

    def set(self, key, value, serialize=True, time=0, min_compress_len=0, raise_on_error=False):
        self.kept[key] = value

    def delete(self, key, server_key=None):
        self.kept.pop(key, None)

    def incr(self, key, delta=1, time=0):
        self.kept[key] = int(self.kept.get(key, 0)) + delta
        return self.kept[key]


def memory_factory(global_conf, **local_conf):
    cache = Memory()

    def filter_of(app):
        def call(env, start_response):
            env['swift.cache'] = cache
            return app(env, start_response)

        return call

    return filter_of


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def write_ring(folder, kind, port):
    builder = RingBuilder(4, 1, 0)
    where = {'ip': '127.0.0.1', 'port': port, 'replication_ip': '127.0.0.1', 'replication_port': port}
    builder.add_dev({'region': 1, 'zone': 1, 'device': 'disk', 'weight': 1.0, **where})
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, f'{kind}.ring.gz'))


def write_conf(folder, kind, port, rest):
    path = os.path.join(folder, f'{kind}.conf')
    with open(path, 'w') as file:
        file.write(
            f'[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {port}\nworkers = 0\nuser = {USER}\nswift_dir = {folder}\n'
            f'devices = {folder}/devices\nmount_check = false\nfallocate_reserve = 0\n{rest}'
        )
    return path


def proxy_conf(certificate, key):
    filters = {
        'memory': 'paste.filter_factory = serve:memory_factory',
        's3api': 'use = egg:swift#s3api\nlocation = us-east-1\nallow_multipart_uploads = true',
        'tempauth': 'use = egg:swift#tempauth\nuser_test_tester = testing .admin',
        **{name: f'use = egg:swift#{name}' for name in ('catch_errors', 'gatekeeper', 'listing_formats', 'copy', 'slo')},
    }
    order = 'catch_errors gatekeeper memory listing_formats s3api tempauth copy slo proxy-server'
    return (
        f'cert_file = {certificate}\nkey_file = {key}\n[pipeline:main]\npipeline = {order}\n'
        '[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n'
        + ''.join(f'[filter:{name}]\n{text}\n' for name, text in filters.items())
    )


def make_bucket(port, certificate, bucket):
    """Through Swift's own door, which needs no signature."""
    deadline = time.monotonic() + 120
    while True:
        try:
            door = http.client.HTTPSConnection('localhost', port, context=ssl.create_default_context(cafile=certificate))
            door.request('GET', '/auth/v1.0', headers={'X-Auth-User': 'test:tester', 'X-Auth-Key': 'testing'})
            answer = door.getresponse()
            answer.read()
            token = answer.headers['X-Auth-Token']
            door.request('PUT', f'/v1/AUTH_test/{bucket}', headers={'X-Auth-Token': token})
            status = door.getresponse().status
            if status in (201, 202):
                return
            raise OSError(f'{status} for the bucket')
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def main(folder, port, certificate, key, bucket):
    os.makedirs(os.path.join(folder, 'devices', 'disk'), exist_ok=True)
    with open(os.path.join(folder, 'swift.conf'), 'w') as file:
        file.write('[swift-hash]\nswift_hash_path_suffix = of-the-tests\n')
    utils.set_swift_dir(folder)
    utils.validate_hash_conf()
    confs = []
    for kind in ('account', 'container', 'object'):
        own = free_port()
        write_ring(folder, kind, own)
        rest = f'[pipeline:main]\npipeline = {kind}-server\n[app:{kind}-server]\nuse = egg:swift#{kind}\n'
        confs.append((write_conf(folder, kind, own, rest), f'{kind}-server'))
    confs.append((write_conf(folder, 'proxy', port, proxy_conf(certificate, key)), 'proxy-server'))
    children = []
    for path, section in confs:
        child = os.fork()
        if child == 0:
            sys.exit(run_wsgi(path, section))
        children.append(child)
    try:
        make_bucket(int(port), certificate, bucket)
        print('ready', flush=True)
        # Whoever started this holds the other end: its end is ours.
        sys.stdin.read()
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)


if __name__ == '__main__':
    main(*sys.argv[1:])
