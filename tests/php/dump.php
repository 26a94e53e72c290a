<?php
// Dumps what standard input describes in JSON, as a page of 2015 did by mistake. Argument: how to dump it.
//   string   the JSON text itself, one string (what Al-Alam's pages leaked)
//   array    a PHP array of arrays          objects  a PHP array of stdClass objects
$json = stream_get_contents(STDIN);
switch ($argv[1]) {
    case 'string':
        var_dump($json);
        break;
    case 'array':
        var_dump(json_decode($json, true, 512, JSON_THROW_ON_ERROR));
        break;
    case 'objects':
        var_dump(json_decode($json, false, 512, JSON_THROW_ON_ERROR));
        break;
    default:
        fwrite(STDERR, "dump.php: takes string, array or objects\n");
        exit(2);
}
